/** Places, heights, courses and speeds as text; unknown is an en dash, never a zero. */
import { forward } from 'mgrs'
import { decimal } from './decimal'
import { sign } from './units'

export const UNKNOWN = '–'

/** `43T FJ 12345 67890`; latitude and longitude where MGRS ends (beyond 80 S and 84 N). */
export function mgrs(lat_deg: number, lon_deg: number, digits = 5): string {
  if (!Number.isFinite(lat_deg) || !Number.isFinite(lon_deg)) return UNKNOWN
  if (lat_deg < -80 || lat_deg > 84) return latLon(lat_deg, lon_deg)
  const wrapped = ((((lon_deg + 180) % 360) + 360) % 360) - 180
  const packed = forward([wrapped, lat_deg], digits)
  const parts = /^(\d{1,2}[C-X])([A-Z]{2})(\d*)$/.exec(packed)
  if (!parts) return packed
  const half = parts[3].length / 2
  return [parts[1], parts[2], parts[3].slice(0, half), parts[3].slice(half)].join(' ').trim()
}

/** `42.80000° N  077.50000° E`. */
export function latLon(lat_deg: number, lon_deg: number): string {
  if (!Number.isFinite(lat_deg) || !Number.isFinite(lon_deg)) return UNKNOWN
  const lat = Math.abs(lat_deg).toFixed(5).padStart(8, '0')
  const lon = Math.abs(lon_deg).toFixed(5).padStart(9, '0')
  return `${lat}° ${lat_deg < 0 ? 'S' : 'N'} ${lon}° ${lon_deg < 0 ? 'W' : 'E'}`
}

/** `047°`, true; UNKNOWN for null. */
export function course(course_deg: number | null | undefined): string {
  if (course_deg === null || course_deg === undefined) return UNKNOWN
  return `${String(Math.round(course_deg) % 360).padStart(3, '0')}°`
}

/** m/s inside, km/h on the screen. */
export function speed(speed_mps: number | null | undefined): string {
  if (speed_mps === null || speed_mps === undefined) return UNKNOWN
  const kph = speed_mps * 3.6
  return `${kph < 10 ? decimal(kph, 1) : Math.round(kph)} ${sign('kph')}`
}

export function metres(value_m: number | null | undefined): string {
  if (value_m === null || value_m === undefined) return UNKNOWN
  return `${Math.round(value_m).toLocaleString('en').replace(/,/g, '\u202f')} ${sign('m')}`
}

/** `800 m`, `5.20 km`, `12.4 km`: as it goes into names, which every node and phone reads. */
export function lengthText(length_m: number): string {
  return lengthBy(length_m, (value, digits) => value.toFixed(digits), { m: 'm', km: 'km' })
}

/** The same as the reader sees it. */
export function lengthShown(length_m: number): string {
  return lengthBy(length_m, decimal, { m: sign('m'), km: sign('km') })
}

function lengthBy(length_m: number, figures: (value: number, digits: number) => string, { m, km }: { m: string; km: string }): string {
  return length_m < 1000 ? `${Math.round(length_m)} ${m}` : `${figures(length_m / 1000, length_m < 10_000 ? 2 : 1)} ${km}`
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} ${sign('byte')}`
  return count < 1_048_576 ? `${decimal(count / 1024, 1)} ${sign('kib')}` : `${decimal(count / 1_048_576, 1)} ${sign('mib')}`
}

export { parsePlace } from './place'
