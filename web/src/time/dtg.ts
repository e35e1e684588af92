/** Military date-time groups in Zulu; the same in every language. */

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const two = (value: number) => String(value).padStart(2, '0')

/** `231432ZNOV26`; `-` when the time is unknown. */
export function dtg(at_ms: number): string {
  const at = new Date(at_ms)
  if (Number.isNaN(at.getTime())) return '–'
  return (
    two(at.getUTCDate()) +
    two(at.getUTCHours()) +
    two(at.getUTCMinutes()) +
    'Z' +
    MONTHS[at.getUTCMonth()] +
    two(at.getUTCFullYear() % 100)
  )
}

/**
 * The time of a date-time group, `231432ZNOV26`, with or without blanks; null when it is none.
 *
 * What is left out (the year, month and year, the day as well) is that of `near_ms`. ISO 8601 is taken, too.
 */
export function dtgTime(text: string, near_ms: number): number | null {
  if (/^\s*\d{4}-/.test(text)) {
    const at_ms = Date.parse(/Z\s*$|[+-]\d\d:?\d\d\s*$/.test(text) || !text.includes('T') ? text : `${text.trim()}Z`)
    return Number.isFinite(at_ms) ? at_ms : null
  }
  const said = /^\s*(?:(\d{2})\s?)?(\d{2}):?(\d{2})\s*Z?(?:\s*([A-Z]{3})(?:\s*(?:20)?(\d{2}))?)?\s*$/i.exec(text)
  if (!said) return null
  const near = new Date(near_ms)
  const month = said[4] ? MONTHS.indexOf(said[4].toUpperCase()) : near.getUTCMonth()
  const year = said[5] ? 2000 + Number(said[5]) : near.getUTCFullYear()
  const [day, hour, minute] = [Number(said[1] ?? near.getUTCDate()), Number(said[2]), Number(said[3])]
  const at_ms = Date.UTC(year, month, day, hour, minute)
  return month >= 0 && new Date(at_ms).getUTCDate() === day && hour < 24 && minute < 60 ? at_ms : null
}

/** `1432Z`, or `23 1432Z` when it is not the day of `now_ms`. */
export function dtgShort(at_ms: number, now_ms: number): string {
  const at = new Date(at_ms)
  if (Number.isNaN(at.getTime())) return '–'
  const time = `${two(at.getUTCHours())}${two(at.getUTCMinutes())}Z`
  const sameDay = Math.floor(at_ms / 86_400_000) === Math.floor(now_ms / 86_400_000)
  return sameDay ? time : `${two(at.getUTCDate())} ${time}`
}

/** Seconds of the minute, `05`. */
export function dtgSeconds(at_ms: number): string {
  return two(new Date(at_ms).getUTCSeconds())
}
