/** Notices: what the node answered, until they are put away. Pure. */
export interface Notice {
  id: number
  tone: 'ok' | 'bad'
  /** A catalogue key, or plain text from the node. */
  key?: string
  words?: Record<string, string>
  text?: string
  remedy?: string | null
  allowed?: string | null
}

/** Older ones than so many are dropped. */
const KEPT = 4
const saying = ({ tone, key, words, text, remedy, allowed }: Notice) => JSON.stringify([tone, key, words, text, remedy, allowed])

/** With one more at the end; the same words again are no second notice, they come to the front. */
export function withNotice(before: readonly Notice[], notice: Notice): Notice[] {
  return [...before.filter((one) => saying(one) !== saying(notice)), notice].slice(-KEPT)
}
