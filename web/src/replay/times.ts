/**
 * A time as people write it (`1410`, `1410Z`, `25 1410Z`, `251410ZNOV26`, ISO 8601), in Zulu; null when it is none.
 *
 * Without a day it is that of `near_ms`; month and year are always those of `near_ms`, except in ISO.
 */
export function timeOf(text: string, near_ms: number): number | null {
  if (/^\s*\d{4}-/.test(text)) {
    const at = Date.parse(text)
    return Number.isFinite(at) ? at : null
  }
  const words = /^\s*(?:(\d{2})\s?)?(\d{2}):?(\d{2})(?::(\d{2}))?\s*(?:Z\w*)?\s*$/i.exec(text)
  if (!words) return null
  const near = new Date(near_ms)
  const [day, hour, minute, second] = [words[1] ?? near.getUTCDate(), words[2], words[3], words[4] ?? 0].map(Number)
  const at = Date.UTC(near.getUTCFullYear(), near.getUTCMonth(), day, hour, minute, second)
  const real = new Date(at).getUTCDate() === day && day > 0 && hour < 24 && minute < 60 && second < 60
  return real ? at : null
}
