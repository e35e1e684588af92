/** Looking back by keys and from the palette. */
import type { Action } from '../shell/action'
import type { Shell } from '../shell/shell'
import { dtg, dtgSeconds } from '../time/dtg'
import { momentText, MINUTE_MS } from './past'
import { replayOf } from './replay'

const replay = (shell: Shell) => replayOf(shell.desk)
const active = (shell: Shell) => replay(shell).active.value
/** Space belongs to the button that has the focus; a tab that has it is the open one already and needs none. */
const free = () => !document.activeElement?.closest('button:not([role=tab]), a, summary, [role=row], [role=treeitem]')

/** A link that opens the moment that is shown, or the present one, at the place that is seen. */
export async function copyLink(shell: Shell): Promise<void> {
  const at_ms = shell.desk.now_ms.value
  const text = momentText({ at_ms: Math.floor(at_ms / 1000) * 1000, bbox: shell.map.value?.bounds?.() ?? null })
  await navigator.clipboard.writeText(`${location.origin}/#${text}`)
  shell.desk.notify({ tone: 'ok', key: 'replay.copied' })
}

/** While all goes on, one key must do: it has the time as its name. */
function markNow(shell: Shell): void {
  const now_ms = shell.desk.present_ms.value
  const at = `${dtg(now_ms)}:${dtgSeconds(now_ms)}`
  replay(shell).keep(at)
  shell.desk.notify({ tone: 'ok', key: 'replay.marked', words: { at } })
}

export const REPLAY_ACTIONS: Action[] = [
  { id: 'replay.begin', title: 'replay.begin', section: 'look', keys: ['r'], when: (shell) => !active(shell), run: (shell) => replay(shell).begin() },
  { id: 'replay.live', title: 'replay.live', section: 'look', keys: ['r'], when: active, run: (shell) => replay(shell).live() },
  { id: 'replay.play', title: 'replay.playPause', section: 'look', keys: ['space'], when: (shell) => active(shell) && free(), run: (shell) => replay(shell).toggle() },
  { id: 'replay.back', title: 'replay.minuteBack', section: 'look', keys: [','], when: active, run: (shell) => replay(shell).step(-MINUTE_MS) },
  { id: 'replay.forward', title: 'replay.minuteOn', section: 'look', keys: ['.'], when: active, run: (shell) => replay(shell).step(MINUTE_MS) },
  { id: 'replay.slower', title: 'replay.slower', section: 'look', keys: ['-'], when: active, run: (shell) => replay(shell).faster(-1) },
  { id: 'replay.faster', title: 'replay.faster', section: 'look', keys: ['+'], when: active, run: (shell) => replay(shell).faster(1) },
  { id: 'replay.keepNow', title: 'replay.keepNow', section: 'look', keys: ['b'], when: (shell) => !active(shell), run: markNow },
  { id: 'replay.keep', title: 'replay.keep', section: 'look', keys: ['b'], when: active, run: (shell) => shell.focus('bookmark') },
  {
    id: 'replay.link',
    title: 'replay.link',
    section: 'map',
    run: copyLink,
    python: (shell) => `node.picture_at(at_ms=${Math.round(shell.desk.now_ms.value)})`,
  },
]
