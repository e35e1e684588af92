/** Alerts and watches of one desk: read by `AlertAreas` as long as the page is open, shown by the panel and the map. */
import { ref, shallowRef } from 'vue'
import type { AlertRow, WatchRow } from '../../api.generated'
import type { WatchDraft } from './watch'
import { perDesk } from '../../store/perDesk'

export class AlertBoard {
  readonly alerts = shallowRef<readonly AlertRow[]>([])
  /** Calls for help that somebody has closed, the newest: who calls may go on doing so. */
  readonly closed_calls = shallowRef<readonly AlertRow[]>([])
  readonly watches = shallowRef<readonly WatchRow[]>([])
  /** Why they could not be read; null when they were. */
  readonly error = ref<string | null>(null)
  /** The watch that is being written. Kept here: on a phone the form goes away while an area is drawn. */
  readonly draft = ref<WatchDraft | null>(null)
  /** Grows when somebody did something here, so that both are read again at once. */
  readonly asked = ref(0)

  raised(): number {
    return this.alerts.value.filter((alert) => alert.state === 'raised').length
  }
}

/** The one of this desk. */
export const alertsOf = perDesk(() => new AlertBoard())
