/** Steps of a task that went well, as one line of the tail: each task makes four and more, and they hid everything else. */
import type { Entry } from '../api/types'
import type { JournalKind } from '../store/journal'

/** Nobody has to act on these; what went wrong, and what the staff itself says of a task, stands for itself. */
const QUIET = new Set(['deliver', 'read', 'acknowledge', 'wilco', 'execute', 'done_ok', 'enter', 'leave', 'on_time'])

export interface TailLine {
  entry: Entry
  kind: JournalKind
}
export interface Folded extends TailLine {
  /** The task whose steps are folded here; null = the line stands for itself. */
  task: string | null
  /** Earlier steps that are not shown. */
  hidden: number
}

const taskOf = ({ entry: { kind, body } }: TailLine): string | null =>
  kind === 'paper' && body?.type === 'tasks.task' && QUIET.has(body.action ?? '') ? (body.target ?? null) : null

/** The lines with only the newest quiet step of each task, where it came; all steps of the tasks that are `open`. */
export function foldTasks(lines: readonly TailLine[], open: ReadonlySet<string>): Folded[] {
  const count = new Map<string, number>()
  for (const line of lines) {
    const task = taskOf(line)
    if (task) count.set(task, (count.get(task) ?? 0) + 1)
  }
  const seen = new Map<string, number>()
  return lines.flatMap((line): Folded[] => {
    const task = taskOf(line)
    const all = task ? count.get(task)! : 1
    if (!task || all === 1) return [{ ...line, task: null, hidden: 0 }]
    const place = (seen.get(task) ?? 0) + 1
    seen.set(task, place)
    if (place === all) return [{ ...line, task, hidden: all - 1 }]
    return open.has(task) ? [{ ...line, task: null, hidden: 0 }] : []
  })
}

/** The task in which a line is folded away; null = it is shown. */
export function foldOf(lines: readonly TailLine[], id: string): string | null {
  const line = lines.find(({ entry }) => entry.id === id)
  return line ? taskOf(line) : null
}
