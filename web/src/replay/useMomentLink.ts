/** A link `#at=...&bbox=...` opens its moment, at once or after the login that it has to wait for. */
import { watch } from 'vue'
import type { Desk } from '../store/desk'
import type { Shell } from '../shell/shell'
import { dtg } from '../time/dtg'
import { momentOf, type Moment } from './past'
import type { Replay } from './replay'

/** The login is another page: it does not give back what stood behind `#`. */
const KEPT = 'aquila.moment'
/** So much a link to what was just now may lie ahead: the page reads the node's clock once a second. */
const AHEAD_MS = 5000

function asked(): Moment | null {
  const hash = momentOf(location.hash) ? location.hash : (sessionStorage.getItem(KEPT) ?? '')
  return momentOf(hash)
}

export function useMomentLink(desk: Desk, shell: Shell, replay: Replay): void {
  let moment = asked()
  if (moment && momentOf(location.hash)) sessionStorage.setItem(KEPT, location.hash)

  function open(): void {
    // Both the node's time and the map must be there; before, the present would be taken for the wish.
    if (!moment || !desk.me.value || !shell.map.value?.fit || !desk.first_picture.value) return
    const { at_ms, bbox } = moment
    moment = null
    sessionStorage.removeItem(KEPT)
    // It has been opened: a reload shows the present again, and the same link opens it once more.
    history.replaceState(history.state, '', location.pathname + location.search)
    if (at_ms > desk.present_ms.value + AHEAD_MS) desk.notify({ tone: 'bad', key: 'replay.ahead', words: { dtg: dtg(at_ms) } })
    else replay.go(at_ms)
    if (bbox) shell.map.value.fit(bbox)
  }
  watch([desk.me, shell.map, desk.first_picture], open, { immediate: true, flush: 'post' })
  window.addEventListener('hashchange', () => {
    moment = momentOf(location.hash)
    open()
  })
}
