/** What people say of tracks: they are one, this member is none of it, it is right as it is, find it yourself. */
import { shallowRef, watch } from 'vue'
import type { PairsSaid } from '../../api.generated'
import { api } from '../../api/client'
import { mayDo } from '../../exchange/roles'
import { pageI18n } from '../../i18n'
import type { Shell } from '../../shell/shell'
import type { Desk } from '../../store/desk'
import { perDesk } from '../../store/perDesk'

/** Two symbols that somebody is about to call one thing. */
export interface Merging {
  one: string
  other: string
}

/** The one of this desk; null while nobody is about to. */
export const mergingOf = perDesk(() => shallowRef<Merging | null>(null))

/** The correlator looks every few seconds. */
const FOLLOW_MS = 30_000
const MOVING: ReadonlySet<string> = new Set(['unit', 'platform', 'track'])
/** May the node know more of it than its last report? A fused track surely; who moves and is heard, where anything is fused. */
export function mayBeFused({ tracks, now_ms }: Desk, id: string): boolean {
  const h = tracks.handleOf(id)
  const meta = h === null ? undefined : tracks.meta[h]
  if (h === null || !meta) return false
  if (meta.members?.length) return true
  const is_heard = MOVING.has(meta.category) && tracks.placed[h] === 1 && tracks.age(h, now_ms.value) !== 'stale'
  return is_heard && (meta.source.startsWith('feed:') || tracks.hasFused())
}

/** May who sits here say anything of the selected track? */
export function maySay({ desk }: Shell): boolean {
  const id = desk.selected.value
  return id !== null && mayDo(desk.me.value, 'operator') && mayBeFused(desk, id)
}

/** Asks for the other track, on the map, in a list or by the find box; both are shown before anything is said. */
export function beginMerge(shell: Shell): void {
  const { desk } = shell
  const id = desk.selected.value
  if (id === null || desk.past.value) return
  const one = standing(desk, id)
  mergingOf(desk).value = null
  shell.askName({
    hint: shell.phone.value ? 'why.nameTouch' : 'why.name',
    take: (named) => {
      const other = standing(desk, named)
      if (other === one) {
        // Two that were one lie on each other: the press meant the one below.
        desk.notify({ tone: 'ok', key: 'why.sameOne', words: { name: nameOf(desk, one) } })
        return beginMerge(shell)
      }
      mergingOf(desk).value = { one, other }
      if (shell.phone.value) shell.sheet.value = 'now'
      else shell.open('now')
    },
  })
}

/** The symbol that stands for it on the map. */
function standing({ tracks, now_ms }: Desk, id: string): string {
  const h = tracks.trackOf(id, now_ms.value)
  return h === null ? id : tracks.meta[h]!.id
}

export async function merge(shell: Shell, { one, other }: Merging): Promise<boolean> {
  const names = { one: nameOf(shell.desk, one), other: nameOf(shell.desk, other) }
  const parts = [one, other].map((id) => membersOf(shell.desk, id))
  const worked = await say(shell, () => api.mergeTracks(one, other), 'merge', names)
  if (worked) {
    mergingOf(shell.desk).value = null
    follow(shell, [one, other], parts)
  }
  return worked
}

function membersOf({ tracks }: Desk, id: string): readonly string[] {
  const h = tracks.handleOf(id)
  return (h === null ? null : tracks.meta[h]?.members) ?? [id]
}

/** Selects the track that stands for both, as soon as there is one: the two that were looked at have gone into it. */
function follow(shell: Shell, looked_at: readonly string[], parts: readonly (readonly string[])[]): void {
  const { tracks, tick, now_ms, selected } = shell.desk
  const until_ms = now_ms.value + FOLLOW_MS
  const stop = watch(tick, () => {
    const [first, ...others] = parts.map((members) => members.map((id) => tracks.trackOf(id, now_ms.value)).find((h) => h !== null))
    const over = first !== undefined && first !== null && others.every((h) => h === first) ? tracks.meta[first]!.id : null
    const is_elsewhere = selected.value !== null && !looked_at.includes(selected.value) && tracks.handleOf(selected.value) !== null
    if (over !== null && !is_elsewhere) shell.select(over)
    if (over !== null || is_elsewhere || now_ms.value > until_ms) stop()
  })
}

export function split(shell: Shell, member: { id: string; name: string }): Promise<boolean> {
  return say(shell, () => api.splitTrack(member.id), 'split', { name: member.name })
}

export function lock(shell: Shell, id: string): Promise<boolean> {
  return say(shell, () => api.lockTrack(id), 'lock', { name: nameOf(shell.desk, id) })
}

export function free(shell: Shell, id: string): Promise<boolean> {
  return say(shell, () => api.freeTrack(id), 'free', { name: nameOf(shell.desk, id) })
}

export function nameOf({ tracks }: Desk, id: string): string {
  const h = tracks.handleOf(id)
  return (h === null ? null : tracks.meta[h]?.name) || pageI18n().global.t('entities.unnamed')
}

/** Says it, tells that it was said, and remembers how to take it back: what stood before stands again. */
async function say({ desk, undo }: Shell, call: () => Promise<PairsSaid>, what: string, words: Record<string, string>): Promise<boolean> {
  let entries: string[] = []
  const done = (told: () => Promise<PairsSaid>) => desk.attempt(async () => void ({ entries } = await told()))
  if (!(await done(call))) return false
  // Whoever takes back what was taken back says it again.
  const turn = () => done(() => api.takeBackTracks(entries))
  undo.did({ title: `why.did.${what}`, words, undo: turn, redo: turn })
  desk.notify({ tone: 'ok', key: 'why.done', words: { what: { key: `why.did.${what}`, words } } })
  return true
}
