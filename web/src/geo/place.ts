/** One box for a place: MGRS, UTM, or latitude and longitude in any usual way of writing. */
import { toPoint } from 'mgrs'

export interface Place {
  lat_deg: number
  lon_deg: number
}

/** WGS 84: equatorial radius in metres, flattening; UTM: scale on the central meridian, false easting. */
const RADIUS_M = 6_378_137
const FLATTENING = 1 / 298.257223563
const SCALE = 0.9996
const EAST_M = 500_000
const SOUTH_M = 10_000_000
const BANDS = 'CDEFGHJKLMNPQRSTUVWX'

/**
 * The place of UTM coordinates, to better than a millimetre within the zone: the series of
 * Krueger 1912 to the fourth power of n (C. Karney, "Transverse Mercator with an accuracy of a few
 * nanometers", 2011, equations 7 to 11 and 36).
 */
export function utmPlace(zone: number, south: boolean, easting_m: number, northing_m: number): Place {
  const n = FLATTENING / (2 - FLATTENING)
  const mean_m = (RADIUS_M / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64)
  const beta = [
    n / 2 - (2 / 3) * n ** 2 + (37 / 96) * n ** 3 - n ** 4 / 360,
    n ** 2 / 48 + n ** 3 / 15 - (437 / 1440) * n ** 4,
    (17 / 480) * n ** 3 - (37 / 840) * n ** 4,
    (4397 / 161280) * n ** 4,
  ]
  const xi = (northing_m - (south ? SOUTH_M : 0)) / (SCALE * mean_m)
  const eta = (easting_m - EAST_M) / (SCALE * mean_m)
  let [xi0, eta0] = [xi, eta]
  beta.forEach((b, i) => {
    const k = 2 * (i + 1)
    xi0 -= b * Math.sin(k * xi) * Math.cosh(k * eta)
    eta0 -= b * Math.cos(k * xi) * Math.sinh(k * eta)
  })
  const e = Math.sqrt(FLATTENING * (2 - FLATTENING))
  // From the conformal to the geographic latitude, by Newton's method on its tangent.
  const tau0 = Math.sin(xi0) / Math.hypot(Math.sinh(eta0), Math.cos(xi0))
  let tau = tau0
  for (let turn = 0; turn < 5; turn++) {
    const sigma = Math.sinh(e * Math.atanh((e * tau) / Math.hypot(1, tau)))
    const conformal = tau * Math.hypot(1, sigma) - sigma * Math.hypot(1, tau)
    const left = 1 - e * e
    tau += ((tau0 - conformal) / Math.hypot(1, conformal)) * ((1 + left * tau * tau) / (left * Math.hypot(1, tau)))
  }
  const lon0_deg = zone * 6 - 183
  return {
    lat_deg: (Math.atan(tau) * 180) / Math.PI,
    lon_deg: lon0_deg + (Math.atan2(Math.sinh(eta0), Math.cos(xi0)) * 180) / Math.PI,
  }
}

function ofMgrs(text: string): Place | null {
  const packed = text.replace(/\s+/g, '').toUpperCase()
  const grid = /^(\d{1,2})[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V](\d*)$/.exec(packed)
  if (!grid || Number(grid[1]) < 1 || Number(grid[1]) > 60) return null
  if (grid[2].length < 2 || grid[2].length > 10 || grid[2].length % 2) return null
  try {
    const [lon_deg, lat_deg] = toPoint(packed)
    return checked(lat_deg, lon_deg)
  } catch {
    return null
  }
}

/** `43T 612345 4723456`, with or without m, E and N; a band letter, or N and S alone, gives the hemisphere. */
function ofUtm(text: string): Place | null {
  const utm = /^(\d{1,2})\s*([A-Z])[\s,;]+(\d{6,7}(?:\.\d+)?)\s*M?\s*E?[\s,;]+(\d{4,8}(?:\.\d+)?)\s*M?\s*N?$/.exec(text.trim().toUpperCase())
  if (!utm) return null
  const [zone, band, easting_m, northing_m] = [Number(utm[1]), utm[2], Number(utm[3]), Number(utm[4])]
  if (zone < 1 || zone > 60 || !BANDS.includes(band)) return null
  if (easting_m < 100_000 || easting_m > 900_000 || northing_m > SOUTH_M) return null
  // S is both "south" and a northern band; a band is what maps print, so it counts.
  const place = utmPlace(zone, band < 'N', easting_m, northing_m)
  return checked(place.lat_deg, place.lon_deg)
}

const LOW = String.raw`\d{1,2}(?:[.,]\d+)?`
/** How one angle is written: degrees, then perhaps minutes and seconds. */
interface Way {
  digits: string
  /** Without marks the letter must stand there, or any two counts would be a place. */
  lettered: boolean
}
const ANGLES: readonly Way[] = [
  { digits: String.raw`(?<deg>-?\d{1,3}(?:[.,]\d+)?)\s*[°º]?\s*(?:(?<min>${LOW})\s*['′’])?\s*(?:(?<sec>${LOW})\s*(?:"|″|''))?`, lettered: false },
  // 42 48 00 N
  { digits: String.raw`(?<deg>\d{1,3})\s+(?<min>${LOW})(?:\s+(?<sec>${LOW}))?`, lettered: true },
  // 4248N, 0773000E, 4248.5N: two digits for minutes and two for seconds, in one run
  { digits: String.raw`(?<deg>\d{2,3})(?<min>\d{2}(?:[.,]\d+)?)(?<sec>\d{2}(?:[.,]\d+)?)?`, lettered: true },
]
const SIDES = [['before', 'before'], ['behind', 'behind'], ['before', 'behind'], ['behind', 'before']] as const

/** One angle, the letter for its hemisphere on that side; its groups are named `deg1`, `min1`, `sec1` and `letter1`. */
function angleShape({ digits, lettered }: Way, side: 'before' | 'behind', at: 1 | 2): string {
  const letter = `(?<letter${at}>[NSEW])${lettered ? '' : '?'}`
  const body = digits.replace(/\(\?<(deg|min|sec)>/g, `(?<$1${at}>`)
  return side === 'before' ? `${letter}\\s*${body}` : `${body}\\s*${letter}`
}
const TWO_ANGLES = ANGLES.flatMap((way) =>
  SIDES.map(([one, two]) => new RegExp(`^${angleShape(way, one, 1)}\\s*[;,\\s]\\s*${angleShape(way, two, 2)}$`)),
)

/** Degrees with their sign and the letter of the hemisphere, '' without one; null when it is no angle. */
function signedAngle(groups: Record<string, string | undefined>, at: 1 | 2): { letter: string; deg: number } | null {
  const [degrees, minutes, seconds] = ['deg', 'min', 'sec'].map((part) => Number((groups[part + at] ?? '0').replace(',', '.')))
  if (minutes >= 60 || seconds >= 60) return null
  const size_deg = Math.abs(degrees) + minutes / 60 + seconds / 3600
  const letter = groups[`letter${at}`] ?? ''
  return { letter, deg: degrees < 0 || letter === 'S' || letter === 'W' ? -size_deg : size_deg }
}

function ofDegrees(text: string): Place | null {
  const typed = text.trim().toUpperCase()
  const groups = TWO_ANGLES.map((shape) => shape.exec(typed)?.groups).find(Boolean)
  if (!groups) return null
  const [first, second] = [signedAngle(groups, 1), signedAngle(groups, 2)]
  if (!first || !second) return null
  const is_lon = (letter: string) => letter === 'E' || letter === 'W'
  if (first.letter && second.letter && is_lon(first.letter) === is_lon(second.letter)) return null
  const swapped = is_lon(first.letter) || second.letter === 'N' || second.letter === 'S'
  return swapped ? checked(second.deg, first.deg) : checked(first.deg, second.deg)
}

function checked(lat_deg: number, lon_deg: number): Place | null {
  return Math.abs(lat_deg) <= 90 && Math.abs(lon_deg) <= 180 ? { lat_deg, lon_deg } : null
}

/**
 * The place that a person typed: MGRS (`43TFJ1234567890`, spaces allowed), UTM (`43T 612345 4723456`),
 * or latitude and longitude (`42.5, 77.1`, `42°30'N 77°06'E`, `42 30 N 77 06 E`, `4230N 07706E`); null when the text is none of them.
 */
export function parsePlace(text: string): Place | null {
  if (text.length > 100) return null
  return ofMgrs(text) ?? ofUtm(text) ?? ofDegrees(text)
}
