/** Makes the page show a step, and remembers what it showed before the brief. */
import { replayOf } from '../replay/replay'
import type { ComposerTranslation } from 'vue-i18n'
import type { Shell } from '../shell/shell'
import type { BriefStep } from './brief'

/** `below_px`: how much of the map something lies over, at its lower edge. */
export function showStep(shell: Shell, step: BriefStep, below_px = 0): void {
  const replay = replayOf(shell.desk)
  shell.filter.value = step.filter
  if (step.at_ms !== null) replay.go(step.at_ms)
  else if (replay.active.value) replay.live()
  shell.map.value?.frame?.(step.bounds, below_px)
}

/** Says how many symbols the filter of what is shown leaves out; null: none. */
export function narrowedText(shell: Shell, t: ComposerTranslation): string | null {
  const n = shell.tracks.left_out.value.size
  return n ? t('brief.narrowed', { n }, n) : null
}

/** What is shown now, as a step; null before the first picture. */
export function stepOfNow(shell: Shell, title: string): BriefStep | null {
  const bounds = shell.map.value?.bounds?.()
  if (!bounds) return null
  return { id: crypto.randomUUID?.() ?? String(performance.now()), title, notes: '', bounds, filter: { ...shell.filter.value }, at_ms: shell.desk.past.value?.at_ms ?? null }
}
