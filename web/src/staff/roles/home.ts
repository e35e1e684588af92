/** What the home of a post shows, without the page around it. */
import type { MyDesk, NeedRow, PostRow } from '../../api.generated'
import { ageClock } from '../../time/age'

export const POSTS = [
  'commander', 'chief_of_operations', 'duty_officer', 'watch_officer', 'company_commander', 'patrol_leader', 'intelligence_officer', 'logistics_officer', 'medical_officer', 'liaison_officer', 'exercise_control', 'system_administrator',
] as const

/** Workspace in which a need is answered, by its feature; what is not here has its own name. */
const OPENS: Record<string, string> = { node: 'links' }
export const workspaceOf = (need: Pick<NeedRow, 'feature' | 'kind'>) => (need.kind === 'feed' ? 'feeds' : (OPENS[need.feature] ?? need.feature))

/** Words and age of the time that is left or over. */
export function clockOf(need: NeedRow, now_ms: number): { key: 'late' | 'left' | 'since'; age: string } {
  if (need.due_ms === null) return { key: 'since', age: ageClock(now_ms - need.since_ms) }
  return { key: need.due_ms <= now_ms ? 'late' : 'left', age: ageClock(Math.abs(need.due_ms - now_ms)) }
}

/** Posts under one another: those held first, each post's holder before who is on call. */
export function roster(rows: readonly PostRow[]): PostRow[] {
  const place = (row: PostRow) => POSTS.indexOf(row.post as (typeof POSTS)[number])
  return [...rows].sort((a, b) => place(a) - place(b) || Number(b.is_held) - Number(a.is_held) || a.since_ms - b.since_ms)
}

/** What an open page would offer of a post's workspaces. */
export function panelsOf(desk: MyDesk, known: readonly string[]): string[] {
  return desk.panels.filter((panel) => known.includes(panel))
}

export const nameOfPerson = (id: string) => id.slice(id.indexOf(':') + 1)
