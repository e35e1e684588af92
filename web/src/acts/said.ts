/**
 * What the node says in lines, in the reader's language.
 *
 * The node sends English and, beside it, which of its sentences that is and what stands in the gaps: the page says it by
 * its catalogue, in English too. What people wrote, and what a newer node says, stays as it is in every language.
 */
import type { Entry } from '../api/types'
import { pageI18n } from '../i18n'
import { textOf } from '../store/journal'
import { principalName } from '../store/names'

export type Phrase = { act?: string; words?: Record<string, unknown> }
/** The catalogue's key of a sentence. */
const keyOf = (act: string) => `act.${act}`

type Speaks = { t: (key: string, words: Record<string, string>) => string; has: (key: string) => boolean }

/** The sentence in words; null when this page does not know it, or a phrase that stands in it. */
export function saidIn(phrase: Phrase, speaks: Speaks): string | null {
  if (!phrase.act || !speaks.has(keyOf(phrase.act))) return null
  const words: Record<string, string> = {}
  for (const [name, value] of Object.entries(phrase.words ?? {})) {
    const word = wordOf(value, speaks)
    if (word === null) return null
    words[name] = name === 'target' ? principalName(word, null) : word
  }
  const said = speaks.t(keyOf(phrase.act), words)
  // A sentence that begins with a phrase begins with a capital; one that begins with a name is left alone.
  const first = Object.values(phrase.words ?? {}).find((value) => value && typeof value === 'object' && !Array.isArray(value)) as Phrase | undefined
  const start = first ? saidIn(first, speaks) : null
  return start && said.startsWith(start) ? said[0].toLocaleUpperCase() + said.slice(1) : said
}

/** What stands in a gap: text, a phrase, or several of them. */
function wordOf(value: unknown, speaks: Speaks): string | null {
  if (!Array.isArray(value)) return value && typeof value === 'object' ? saidIn(value as Phrase, speaks) : String(value)
  const words = value.map((one) => wordOf(one, speaks))
  return words.includes(null) ? null : words.join(', ')
}

/** Says a row of the node: its sentence in the page's language, else the text that it came with. */
export function said(row: Phrase, text: string): string {
  const { t, te } = pageI18n().global
  return saidIn(row, { t: (key, words) => t(key, words), has: (key) => te(key) }) ?? text
}

/** By group, the keys of its words by their English. */
const vocabularies = new Map<string, Map<string, string>>()
function vocabulary(group: string): Map<string, string> {
  let found = vocabularies.get(group)
  if (!found) {
    let words: unknown = pageI18n().global.getLocaleMessage('en')
    for (const name of keyOf(group).split('.')) words = (words as Record<string, unknown>)[name]
    found = new Map(Object.entries(words as Record<string, string>).map(([name, english]) => [english, keyOf(`${group}.${name}`)]))
    vocabularies.set(group, found)
  }
  return found
}

/** A fixed word of the node, of a group of its table: the name of a form or field, a choice. What is none of it, people wrote. */
export function saidWord(group: string, text: string): string {
  const { t, locale } = pageI18n().global
  const key = locale.value === 'en' ? undefined : vocabulary(group).get(text)
  return key === undefined ? text : t(key)
}

/** Fields of forms whose word in the table has another name. */
const OTHER_NAME: Record<string, string> = { places: 'visited', count: 'how_many', distance_m: 'distance' }

/** A line "name of a field: what was written", its field named in the reader's language; a field of our own stays. */
export function saidField(group: string, line: string): string {
  const { t, te } = pageI18n().global
  const [, name, written] = /^([a-z][a-z_ ]*): (.*)$/s.exec(line) ?? []
  const word = name?.replaceAll(' ', '_') ?? ''
  const key = name && keyOf(`${group}.${OTHER_NAME[word] ?? word}`)
  return key && te(key) ? t(keyOf('print.field'), { name: t(key), value: written }) : line
}

/** Where in an order something changes: `tasks.T2.text` as "task T2, text"; what is no path of an order stays. */
export function saidPath(path: string): string {
  const { t, te } = pageI18n().global
  const [first, ...rest] = path.split('.')
  const place = keyOf(`order.place.${first}`)
  const word = (name: string) => {
    const key = keyOf(`field.${name.replace(/_ms$/, '')}`)
    return te(key) ? t(key) : name
  }
  if (rest.length && te(place)) return [t(place, { id: rest[0] }), ...rest.slice(1).map(word)].join(', ')
  return te(keyOf(`field.${first}`)) ? [first, ...rest].map(word).join(', ') : path
}

/**
 * Why the node refused. What it has in no table is told in general, by its code, with the node's own words behind it;
 * in English these are enough.
 */
export function saidRefusal(refusal: Phrase & { code?: string }, reason: string): string {
  const { t, te, locale } = pageI18n().global
  const known = refusal.act ? said(refusal, '') : ''
  if (known || locale.value === 'en') return known || reason
  const general = keyOf(`refusal.${refusal.code}`)
  return `${t(te(general) ? general : keyOf('refusal.other'))} («${reason}»)`
}

/** Why something is as it is: a sentence of the node, else what a library says, which is quoted. */
export function saidCause(phrase: Phrase, text: string): string {
  const { t, locale } = pageI18n().global
  const known = phrase.act ? said(phrase, '') : ''
  return known || (locale.value === 'en' || !text ? text : t(keyOf('told.program'), { why: `«${text}»` }))
}

/** What to do about it. Advice for programs is for no reader of the page, in no language but theirs. */
export function saidRemedy(remedy: string | null): string | null {
  const { locale } = pageI18n().global
  if (remedy === null || locale.value === 'en') return remedy
  const words = saidWord('remedy', remedy)
  return words === remedy ? null : words
}

/** What the node answered when it refused: as it came, so that it can be said again in another language. */
export type Refusal = Phrase & {
  code?: string
  reason: string
  remedy: string | null
  allowed: string | null
  /** Which of several things was refused; absent: there was one. */
  about?: string
}

/** A name and what belongs to it, as the language joins them: French writes a space before its colon. One alone stays alone. */
export const joined = (name: string | null | undefined, value: string | null | undefined) =>
  name && value ? pageI18n().global.t(keyOf('print.field'), { name, value }) : name || value || ''

/** What stands between the two where each is an element of its own. */
export const colon = () => pageI18n().global.t(keyOf('print.field'), { name: '', value: '' })

/** The same in the reader's language. */
export const told = (refusal: Refusal) => ({
  reason: joined(refusal.about, saidRefusal(refusal, refusal.reason)),
  remedy: saidRemedy(refusal.remedy),
  allowed: refusal.allowed === null ? null : saidWord('allowed', refusal.allowed),
})

/** Why a link was lost, of the entry that says so; empty: it does not say. */
export function saidReason(entry: Entry): string {
  const reason = entry.body?.action === 'link.down' ? String(entry.body.detail?.reason ?? '') : ''
  const detail = (entry.words?.detail ?? {}) as Phrase
  const parts = (detail.words?.parts ?? []) as Phrase[]
  const value = parts.find((part) => part.act === 'detail.reason')?.words?.value
  return reason && said((value ?? {}) as Phrase, reason)
}

/** What an entry of the journal says. */
export function saidOf(entry: Entry): string {
  return said(entry, textOf(entry))
}
