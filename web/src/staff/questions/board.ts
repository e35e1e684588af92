/** The board of questions: what waits for a look first, then what is due first. */
import type { QuestionRow } from '../../api.generated'
import type { NewQuestionText } from '../node'
import { type Blank } from '../steps/blanks'

export const OPEN: ReadonlySet<string> = new Set(['open', 'partly'])

export function ordered(rows: readonly QuestionRow[]): QuestionRow[] {
  return [...rows].sort(
    (a, b) =>
      Number(OPEN.has(b.state)) - Number(OPEN.has(a.state)) ||
      Number(b.waiting > 0) - Number(a.waiting > 0) ||
      a.priority - b.priority ||
      (a.left_ms ?? Infinity) - (b.left_ms ?? Infinity),
  )
}

export const ASK: readonly Blank[] = [
  { name: 'text', kind: 'line', needed: true },
  { name: 'kind', kind: 'choice', choices: ['PIR', 'CCIR', 'FFIR', 'EEFI'] },
  { name: 'priority', kind: 'choice', choices: ['1', '2', '3'] },
  { name: 'words', kind: 'line', needed: true },
  { name: 'back', kind: 'count' },
  { name: 'from', kind: 'count' },
  { name: 'hours', kind: 'count' },
]
export const ASK_RFI: readonly Blank[] = [
  { name: 'question', kind: 'line', needed: true },
  { name: 'to', kind: 'line', needed: true },
  { name: 'hours', kind: 'count' },
]
const HOUR_MS = 3_600_000

/** Hours from now as a time; nothing filled in = no time. */
export function dueOf(hours: string | undefined, now_ms: number): number | null {
  return hours ? Math.floor(now_ms + Number(hours) * HOUR_MS) : null
}

/** What an answer may stand on, as the node takes it. */
export const SOURCES_MAX = 100

/**
 * A question from the filled form: each word or phrase between commas is a test of its own. One that looks back counts
 * from that time on; when it would start does not matter then.
 */
export function questionOf(fields: Record<string, string>, now_ms: number): NewQuestionText {
  const ltiov_ms = dueOf(fields.hours, now_ms)
  const from_ms = fields.back ? dueOf(`-${fields.back}`, now_ms) : dueOf(fields.from, now_ms)
  const tests = (fields.words ?? '').split(',').flatMap((text) => {
    const words = text.trim().split(/\s+/).filter(Boolean)
    return words.length ? [{ words }] : []
  })
  return {
    text: fields.text,
    kind: fields.kind as NewQuestionText['kind'],
    priority: Number(fields.priority) as NewQuestionText['priority'],
    tests,
    ...(from_ms === null ? {} : { from_ms }),
    ...(ltiov_ms === null ? {} : { ltiov_ms }),
  }
}

/** What a step asks for; [] = nothing, null = the board does not offer it. */
export function blanksOf(action: string, row: Pick<QuestionRow, 'hits'> | null): Blank[] | null {
  switch (action) {
    case 'answer':
    case 'answer_partly':
      // An answer stands on entries: the hits are its sources.
      if (!row?.hits.length) return null
      return [
        { name: 'answer', kind: 'text', needed: true },
        { name: 'confidence', kind: 'choice', choices: ['low', 'moderate', 'high'] },
      ]
    case 'reopen':
    case 'refuse':
    case 'ask_again':
      return [{ name: 'reason', kind: 'line', needed: true }]
    case 'task':
      return [{ name: 'tasked_to', kind: 'line', needed: true }]
    case 'accept':
    case 'close':
      return []
    default:
      return null
  }
}
