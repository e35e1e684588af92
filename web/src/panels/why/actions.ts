/** What can be said of the selected track, by keys and by name. */
import type { Action } from '../../shell/action'
import type { Shell } from '../../shell/shell'
import { beginMerge, free, lock, maySay } from './acts'

const chosen = (shell: Shell) => shell.desk.selected.value!
const quoted = (shell: Shell) => JSON.stringify(chosen(shell))
const isFused = ({ desk: { tracks, selected } }: Shell) => Boolean(tracks.meta[tracks.handleOf(selected.value ?? '') ?? -1]?.members?.length)
const mayOfFused = (shell: Shell) => maySay(shell) && isFused(shell)

export const WHY_ACTIONS: readonly Action[] = [
  { id: 'tracks.merge', title: 'why.actionMerge', also: 'why.also', section: 'write', keys: ['shift+j'], when: maySay, run: beginMerge, python: (shell) => `node.merge_tracks(one=${quoted(shell)}, other="…")` },
  {
    id: 'tracks.split',
    title: 'why.actionSplit',
    also: 'why.also',
    section: 'write',
    when: mayOfFused,
    run: async (shell) => {
      shell.open('now')
      await shell.focus('why:split')
    },
    python: () => 'node.split_track(member="…")',
  },
  { id: 'tracks.lock', title: 'why.actionLock', also: 'why.also', section: 'write', when: mayOfFused, run: (shell) => lock(shell, chosen(shell)), python: (shell) => `node.lock_track(id=${quoted(shell)})` },
  { id: 'tracks.free', title: 'why.actionFree', also: 'why.also', section: 'write', when: maySay, run: (shell) => free(shell, chosen(shell)), python: (shell) => `node.free_track(id=${quoted(shell)})` },
]
