/** Why a record is among the hits, when the line that is shown of it does not say it. */
import { saidPath } from '../acts/said'
import { fold } from '../geo/fold'
import { wordsOf } from '../store/search'

const AROUND = 24
const DEEP = 5

/** The piece of a record's texts that holds a word which `shown` does not; empty: all words are shown. */
export function pieceOf(record: unknown, shown: string, text: string): string {
  const missing = wordsOf(text.replace(/"/g, ' ')).find((word) => !fold(shown).includes(word))
  const said = missing === undefined ? undefined : textsOf(record, DEEP).find((one) => fold(one).includes(missing))
  if (missing === undefined || said === undefined) return ''
  const at = fold(said).indexOf(missing)
  const [from, until] = [Math.max(0, at - AROUND), at + missing.length + AROUND]
  return `${from ? '…' : ''}${said.slice(from, until)}${until < said.length ? '…' : ''}`
}

function textsOf(value: unknown, deep: number): string[] {
  if (typeof value === 'string') return [value]
  if (!deep || !value || typeof value !== 'object') return []
  // The path of a change is for programs: people read where in the order it is.
  return Object.entries(value).flatMap(([name, inner]) => (name === 'path' && typeof inner === 'string' ? [saidPath(inner)] : textsOf(inner, deep - 1)))
}
