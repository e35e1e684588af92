/** Steps of a task that went well, and the answers to an order, as one line of the tail each: they hid everything else. */
import type { Entry } from '../api/types'
import type { JournalKind } from '../store/journal'

/** Nobody has to act on these; what went wrong, and what the staff itself says of a task, stands for itself. */
const QUIET = new Set(['deliver', 'read', 'acknowledge', 'wilco', 'execute', 'done_ok', 'enter', 'leave', 'on_time'])
/** What addressees say of an order, the most pressing first, with the state that the order's board has for it. */
const ANSWERS = { cannot_comply: 'cannot_comply', wilco: 'wilco', acknowledge: 'acknowledged', read: 'read', deliver: 'delivered' } as const
type Said = keyof typeof ANSWERS
const RECEIPTS: ReadonlySet<string> = new Set<Said>(['read', 'deliver'])

export interface TailLine {
  entry: Entry
  kind: JournalKind
}
/** Who stands how to an order. */
export interface Answered {
  state: (typeof ANSWERS)[Said]
  who: string[]
}
export interface Folded extends TailLine {
  /** The task or order whose steps are folded here; null = the line stands for itself. */
  fold: string | null
  /** Steps that are not shown. */
  hidden: number
  /** Of an order: its answers instead of the line; null = the line itself. */
  answers: Answered[] | null
}

const isSaid = (action: string | undefined): action is Said => Object.hasOwn(ANSWERS, action ?? '')
const isAnswer = ({ entry: { kind, body } }: TailLine) => kind === 'paper' && body?.type === 'orders.order' && isSaid(body.action)

function foldFor(line: TailLine): string | null {
  const { kind, body } = line.entry
  const isStep = kind === 'paper' && body?.type === 'tasks.task' && QUIET.has(body.action ?? '')
  return isStep || isAnswer(line) ? (body?.target ?? null) : null
}

/** How each addressee stands to an order after these answers: a receipt says less than a word. */
function answersOf(lines: readonly TailLine[]): Answered[] {
  const said = new Map<string, Said>()
  for (const { entry } of lines) {
    const action = entry.body?.action
    const who = Object.keys(entry.body?.fields ?? {}).find((name) => name.startsWith('to/'))?.slice(3)
    if (!who || !isSaid(action)) continue
    const before = said.get(who)
    if (!before || !RECEIPTS.has(action) || RECEIPTS.has(before)) said.set(who, action)
  }
  return (Object.keys(ANSWERS) as Said[]).flatMap((one) => {
    const who = [...said].filter(([, action]) => action === one).map(([name]) => name)
    return who.length ? [{ state: ANSWERS[one], who }] : []
  })
}

/**
 * The lines with only the newest quiet step of each task, where it came, and one line with the answers of each order where
 * the newest came; all steps of what is `open`, an order's above its line.
 */
export function foldSteps(lines: readonly TailLine[], open: ReadonlySet<string>): Folded[] {
  const all = new Map<string, TailLine[]>()
  for (const line of lines) {
    const fold = foldFor(line)
    if (fold) all.set(fold, [...(all.get(fold) ?? []), line])
  }
  return lines.flatMap((line): Folded[] => {
    const plain = { ...line, fold: null, hidden: 0, answers: null }
    const fold = foldFor(line)
    const steps = fold ? all.get(fold)! : []
    if (!fold || steps.length === 1) return [plain]
    const isNewest = line === steps.at(-1)
    if (!isAnswer(line)) return isNewest ? [{ ...plain, fold, hidden: steps.length - 1 }] : open.has(fold) ? [plain] : []
    const whole = isNewest ? [{ ...plain, fold, hidden: steps.length, answers: answersOf(steps) }] : []
    return open.has(fold) ? [plain, ...whole] : whole
  })
}

/** The task or order in which a line is folded away; null = it is shown. */
export function foldOf(lines: readonly TailLine[], id: string): string | null {
  const line = lines.find(({ entry }) => entry.id === id)
  return line ? foldFor(line) : null
}

/** How an order is called by the line that issued it; null = that line is not among these. */
export function orderNamed(entries: readonly Entry[], id: string): string | null {
  const ISSUE = ': issue'
  const issued = entries.find(({ body, summary }) => body?.target === id && body.action === 'issue' && summary?.endsWith(ISSUE))
  return issued?.summary?.slice(0, -ISSUE.length) ?? null
}
