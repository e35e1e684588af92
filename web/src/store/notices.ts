/** Notices: what the node answered, until they are put away. Pure. They keep what is said, not how: a language may be chosen while they stand. */
import type { Phrase, Refusal } from '../acts/said'

/** A value of a sentence, or a sentence that stands in it. */
export type NoticeWord = string | { key: string; words?: Record<string, string> }

export interface Notice {
  id: number
  tone: 'ok' | 'bad'
  /** A catalogue key, or plain text from the node. */
  key?: string
  words?: Record<string, NoticeWord>
  text?: string
  /** Which sentence of the node the text is. */
  phrase?: Phrase
  remedy?: string | null
  allowed?: string | null
  /** What the node refused with; it is said instead of the three above. */
  refusal?: Refusal | null
}

/** Older ones than so many are dropped. */
const KEPT = 4
const saying = ({ id: _, ...said }: Notice) => JSON.stringify(said)

/** With one more at the end; the same words again are no second notice, they come to the front. */
export function withNotice(before: readonly Notice[], notice: Notice): Notice[] {
  return [...before.filter((one) => saying(one) !== saying(notice)), notice].slice(-KEPT)
}
