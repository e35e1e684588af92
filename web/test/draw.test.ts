import { describe, expect, it } from 'vitest'
import { GRAPHICS, graphicOf, matching, sidcOf } from '../src/draw/catalogue'
import { layersOf, requestOf, requestsOf, type DrawingRow } from '../src/draw/drawings'
import { formatOf, joined, layerOfFile } from '../src/draw/files'
import { away, bearing_deg, circleArea_m2, circleOf, distance_m, mapRing, ringArea_m2, ringOf, type Pair } from '../src/draw/geometry'
import { area_m2, smallestArea } from '../src/map/areas'
import type { TrackMeta } from '../src/api/types'
import type { Geometry } from 'geojson'

const CENTRE: Pair = [43, 77]
const LOOK = { name: 'ALFA', layer: 'OPS', stroke: '#3d9bff' }

function row(words: Partial<DrawingRow>): DrawingRow {
  return { id: 'cot:1', name: 'ALFA', sidc: '10012500000000000000', type: 'u-d-f', observed_at: '', aliases: [{ scheme: 'cot', value: 'u1' }], ...words }
}

describe('geometry', () => {
  it('goes away and finds the distance and the course again', () => {
    const there = away(CENTRE, 5000, 47)
    expect(distance_m(CENTRE, there)).toBeCloseTo(5000, 1)
    expect(bearing_deg(CENTRE, there)).toBeCloseTo(47, 3)
  })
  it('reads a circle of the map back', () => {
    const { centre, radius_m } = circleOf(mapRing(CENTRE, 12_000))
    expect(centre[0]).toBeCloseTo(43, 6)
    expect(centre[1]).toBeCloseTo(77, 6)
    expect(radius_m / 12_000).toBeCloseTo(1, 3)
  })
  it('keeps a ring whole over longitude 180', () => {
    const lons = ringOf([10, 179.99], 20_000).map(([lon]) => lon)
    expect(Math.max(...lons) - Math.min(...lons)).toBeLessThan(1)
  })
  it('measures areas on the sphere', () => {
    expect(ringArea_m2([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) / 12_363_718_146).toBeCloseTo(1, 4)
    expect(circleArea_m2(1000) / (Math.PI * 1e6)).toBeCloseTo(1, 6)
    for (const centre of [CENTRE, [10, 179.99] as Pair]) expect(ringArea_m2(ringOf(centre, 20_000)) / circleArea_m2(20_000)).toBeCloseTo(1, 2)
    expect(ringArea_m2([[179.9, 0], [-179.9, 0], [-179.9, 0.2], [179.9, 0.2], [179.9, 0]]) / ringArea_m2([[0, 0], [0.2, 0], [0.2, 0.2], [0, 0.2], [0, 0]])).toBeCloseTo(1, 6)
  })
})

describe('the area that a click means', () => {
  const box = (edge_deg: number): Geometry => ({ type: 'Polygon', coordinates: [[[77, 43], [77 + edge_deg, 43], [77 + edge_deg, 43 + edge_deg], [77, 43 + edge_deg], [77, 43]]] })
  const circle = (radius_m: number) => ({ type: 'Point', coordinates: [77, 43], radius_m }) as Geometry
  const holding = (...shapes: Geometry[]) => ({ meta: shapes.map((geometry) => ({ geometry }) as TrackMeta) })

  it('is the smallest, whatever its kind and its place in the pile', () => {
    const store = holding(box(1), circle(500), box(0.1))
    expect(smallestArea([0, 1, 2], store)).toBe(1)
    expect(smallestArea([2, 0], store)).toBe(2)
  })
  it('is never a watch area, a line, or what is gone', () => {
    const store = holding({ type: 'LineString', coordinates: [[77, 43], [78, 43]] }, box(1))
    expect(smallestArea([undefined, 0, 7], store)).toBeNull()
    expect(smallestArea([undefined, 1], store)).toBe(1)
  })
  it('leaves holes out of its size, and adds up parts', () => {
    const one = box(1) as { type: 'Polygon'; coordinates: number[][][] }
    const inner = box(0.5) as typeof one
    const whole_m2 = area_m2(one)!
    expect(area_m2({ type: 'Polygon', coordinates: [...one.coordinates, ...inner.coordinates] })).toBeCloseTo(whole_m2 - area_m2(inner)!, 0)
    expect(area_m2({ type: 'MultiPolygon', coordinates: [one.coordinates, inner.coordinates] })).toBeCloseTo(whole_m2 + area_m2(inner)!, 0)
  })
})

describe('requests', () => {
  it('makes range rings as circles with even steps', () => {
    const rings = requestsOf('rings', { shape: 'circle', points: [CENTRE], radius_m: 3000 }, LOOK)
    expect(rings.map((one) => [one.shape, one.radius_m])).toEqual([['circle', 1000], ['circle', 2000], ['circle', 3000]])
  })
  it('makes a bullseye of a point, rings and four bearing lines', () => {
    const parts = requestsOf('bullseye', { shape: 'circle', points: [CENTRE], radius_m: 3000 }, LOOK).map((one) => one.shape)
    expect(parts).toEqual(['point', 'circle', 'circle', 'circle', 'bearing', 'bearing', 'bearing', 'bearing'])
  })
  it('draws a row anew as it is', () => {
    const area = row({ geometry: { type: 'Polygon', coordinates: [[[77, 42], [77.2, 42], [77.2, 42.2], [77, 42]]], fill: '#11223344' }, fields: { layer: 'OPS', order: '2' } })
    expect(requestOf(area)).toMatchObject({ shape: 'polygon', uid: 'u1', layer: 'OPS', order: 2, fill: '#11223344', points: [[42, 77], [42, 77.2], [42.2, 77.2]] })
    const circle = row({ type: 'u-d-c-c', geometry: { type: 'Point', coordinates: [77, 42], radius_m: 500 } })
    expect(requestOf(circle)).toMatchObject({ shape: 'circle', radius_m: 500, points: [[42, 77]] })
    expect(requestOf(row({ aliases: [] }))).toBeNull()
  })
})

describe('layers', () => {
  it('stand in their order, what has no layer last', () => {
    const rows = [row({ id: '1' }), row({ id: '2', fields: { layer: 'B', order: '0' } }), row({ id: '3', fields: { layer: 'A', order: '1' } })]
    expect(layersOf(rows, () => 'me').map((one) => [one.name, one.owners])).toEqual([['B', ['me']], ['A', ['me']], ['', ['me']]])
  })
})

describe('catalogue', () => {
  it('is found by the beginnings of words', () => {
    expect(matching('ph li', (one) => (one.name === 'phaseLine' ? 'Phase line' : one.name)).map((one) => one.name)).toEqual(['phaseLine'])
  })
  it('names every graphic by a code of twenty digits', () => {
    for (const one of GRAPHICS) {
      expect(sidcOf(one.code)).toMatch(/^\d{20}$/)
      expect(graphicOf(sidcOf(one.code))).toBe(one)
    }
  })
})

describe('files', () => {
  it('knows a format by the end of the name', () => {
    expect(['a.GeoJSON', 'b.kmz', 'c.gpx', 'd.gpkg', 'e.exe'].map(formatOf)).toEqual(['geojson', 'kmz', 'gpx', 'gpkg', null])
    expect(layerOfFile('my plan.v2.kml')).toBe('my plan.v2')
  })
  it('joins the pieces of an export', () => {
    const pieces = [{ part: 'head', text: '[' }, { part: 'drawing', text: '1' }, { part: 'drawing', text: '2' }, { part: 'tail', text: ']' }] as const
    expect(joined('geojson', pieces)).toBe('[1,2]')
    expect(joined('kml', pieces)).toBe('[12]')
  })
})
