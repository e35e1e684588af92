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
