/** Who has acknowledged and closed an alert, and when, in the reader's words. */
import { useI18n } from 'vue-i18n'
import type { AlertRow } from '../../api.generated'
import { useDesk } from '../../store/desk'
import { dtgShort } from '../../time/dtg'

export interface Settled {
  key: string
  said: string
  remarks: string
}

/** Gives these lines of an alert, from old to new. */
export function useSettled(): (row: AlertRow) => Settled[] {
  const desk = useDesk()
  const { t } = useI18n()
  return (row) =>
    [...row.steps].reverse().flatMap((step) => {
      if (step.action !== 'acknowledge' && step.action !== 'close') return []
      const remarks = step.fields[`${step.action}_remarks`]
      const who = step.on_behalf_of ? `${desk.nameOf(step.by)} → ${desk.nameOf(step.on_behalf_of)}` : desk.nameOf(step.by)
      const done = step.fields.with_watch === true ? 'withWatch' : step.action
      return [{ key: step.entry, said: `${t(`staffAlerts.done.${done}`, { who })} ${dtgShort(step.at_ms, desk.day_ms.value)}`, remarks: typeof remarks === 'string' ? remarks : '' }]
    })
}
