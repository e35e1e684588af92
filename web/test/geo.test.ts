import { describe, expect, it } from 'vitest'
import { bytes, course, latLon, metres, mgrs, parsePlace, speed } from '../src/geo/format'

// The wanted grids come from GeoTrans (PyPI mgrs 1.6).
describe('MGRS', () => {
  it.each([
    [0, 0, '31N AA 66021 00000'],
    [48.8582, 2.2945, '31U DQ 48251 11932'],
    [-33.8568, 151.2153, '56H LH 34900 52288'],
    [60.3913, 5.3221, '32V KN 97353 00648'],
    [42.8, 77.5, '43T GH 04435 41636'],
    [78.2232, 15.6267, '33X WG 14278 83355'],
  ])('of %d %d is %s to within a metre', (lat, lon, text) => {
    const split = (grid: string) => {
      const [zone, square, east, north] = grid.split(' ')
      return { zone: `${zone} ${square}`, east: Number(east), north: Number(north) }
    }
    const [got, want] = [split(mgrs(lat, lon)), split(text)]
    expect(got.zone).toBe(want.zone)
    expect(Math.abs(got.east - want.east)).toBeLessThanOrEqual(1)
    expect(Math.abs(got.north - want.north)).toBeLessThanOrEqual(1)
  })

  it('has fewer digits on request, and none at the poles', () => {
    expect(mgrs(42.8, 77.5, 4)).toMatch(/^43T [A-Z]{2} \d{4} \d{4}$/)
    expect(mgrs(88, 10)).toBe('88.00000° N 010.00000° E')
    expect(mgrs(NaN, 0)).toBe('–')
  })

  it('comes back from what a person types', () => {
    const place = parsePlace(mgrs(42.8, 77.5).toLowerCase())!
    expect(place.lat_deg).toBeCloseTo(42.8, 4)
    expect(place.lon_deg).toBeCloseTo(77.5, 4)
  })
})

describe('typed places', () => {
  it('are degrees with point or comma', () => {
    expect(parsePlace('42.8, 77.5')).toEqual({ lat_deg: 42.8, lon_deg: 77.5 })
    expect(parsePlace('-42,8 77,5')).toEqual({ lat_deg: -42.8, lon_deg: 77.5 })
  })

  it.each(['', 'PATROL 1', '95, 10', '43T', '43TFJ123', '10 200'])('are not in %j', (text) => {
    expect(parsePlace(text)).toBeNull()
  })
})

describe('values', () => {
  it('are written with units, unknown as a dash', () => {
    expect(latLon(-42.8, 7.5)).toBe('42.80000° S 007.50000° E')
    expect([course(47.2), course(359.9), course(null)]).toEqual(['047°', '000°', '–'])
    expect([speed(1.2), speed(58), speed(null)]).toEqual(['4.3 km/h', '209 km/h', '–'])
    expect([metres(2184), metres(null)]).toEqual(['2\u202f184 m', '–'])
    expect([bytes(12), bytes(2048), bytes(5_242_880)]).toEqual(['12 B', '2.0 KiB', '5.0 MiB'])
  })
})
