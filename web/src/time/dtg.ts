/** Military date-time groups in Zulu; the same in every language. */

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const DAY_MS = 86_400_000
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

/** The time of an ISO 8601 text, in Zulu where it names no offset; null when it is none. */
export function isoTime(text: string): number | null {
  const at_ms = Date.parse(/Z\s*$|[+-]\d\d:?\d\d\s*$/.test(text) || !text.includes('T') ? text : `${text.trim()}Z`)
  return Number.isFinite(at_ms) ? at_ms : null
}

/** Day, hour, minute, second, month and year, of which the first and the last three may be left out. */
const GROUP = /^\s*(?:(\d{2})\s?)?(\d{2}):?(\d{2})(?::(\d{2}))?\s*Z?(?:\s*([A-Z]{3})(?:\s*(?:20)?(\d{2}))?)?\s*$/i

/**
 * The time of a date-time group, `231432ZNOV26`, with or without blanks; null when it is none.
 *
 * What is left out (the year, month and year, the day as well) is that of `near_ms`. ISO 8601 is taken, too.
 */
export function dtgTime(text: string, near_ms: number): number | null {
  if (/^\s*\d{4}-/.test(text)) return isoTime(text)
  const said = GROUP.exec(text)
  if (!said) return null
  const near = new Date(near_ms)
  const month = said[5] ? MONTHS.indexOf(said[5].toUpperCase()) : near.getUTCMonth()
  const year = said[6] ? 2000 + Number(said[6]) : near.getUTCFullYear()
  const [day, hour, minute, second] = [said[1] ?? near.getUTCDate(), said[2], said[3], said[4] ?? 0].map(Number)
  const at_ms = Date.UTC(year, month, day, hour, minute, second)
  return month >= 0 && new Date(at_ms).getUTCDate() === day && hour < 24 && minute < 60 && second < 60 ? at_ms : null
}

/**
 * As `dtgTime`, for what has been: what is left out makes it the last such time that was not after `now_ms`.
 *
 * Just after midnight `1410` is that of yesterday; on the first of a month `30 1410Z` is of the month before. A time that is
 * said whole may lie ahead: it is given as it was said.
 */
export function pastTime(text: string, near_ms: number, now_ms: number): number | null {
  const near = new Date(near_ms)
  const month_before_ms = (back: number) => Date.UTC(near.getUTCFullYear(), near.getUTCMonth() - back, 1)
  const days_ms = [near_ms, near_ms - DAY_MS, month_before_ms(1), month_before_ms(2), Date.UTC(near.getUTCFullYear() - 1, near.getUTCMonth(), 1)]
  const times = days_ms.map((at_ms) => dtgTime(text, at_ms)).filter((at_ms) => at_ms !== null)
  return times.find((at_ms) => at_ms <= now_ms) ?? times[0] ?? null
}

/** `1432Z`, or `23 1432Z` when it is not the day of `now_ms`. */
export function dtgShort(at_ms: number, now_ms: number): string {
  const at = new Date(at_ms)
  if (Number.isNaN(at.getTime())) return '–'
  const time = `${two(at.getUTCHours())}${two(at.getUTCMinutes())}Z`
  const sameDay = Math.floor(at_ms / DAY_MS) === Math.floor(now_ms / DAY_MS)
  return sameDay ? time : `${two(at.getUTCDate())} ${time}`
}

/** Seconds of the minute, `05`. */
export function dtgSeconds(at_ms: number): string {
  return two(new Date(at_ms).getUTCSeconds())
}
