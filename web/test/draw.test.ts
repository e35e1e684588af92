import { describe, expect, it } from 'vitest'
import { GRAPHICS, graphicOf, matching, sidcOf } from '../src/draw/catalogue'
import { bullseyeFeatures } from '../src/draw/bullseye'
import { centreOf } from '../src/draw/corridor'
import { layersOf, orderAt, orderBetween, orderOfName, penStrokeOf, plainOf, requestOf, requestsOf, strokeOfRow, type DrawingRow } from '../src/draw/drawings'
import { readCorridor_m } from '../src/draw/kept'
import { cssOfArgb, markOf } from '../src/draw/marks'
import { bearingOf, shownName, anchorsOf } from '../src/map/names'
import CORRIDORS from './corridors.json'
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
  it('makes one thing of a bullseye', () => {
    const parts = requestsOf('bullseye', { shape: 'circle', points: [CENTRE], radius_m: 3000 }, LOOK)
    expect(parts).toMatchObject([{ shape: 'bullseye', radius_m: 3000, rings: 3 }])
  })
  it('draws a bullseye anew with its rings and its north', () => {
    const bull = row({ type: 'u-r-b-bullseye', geometry: { type: 'Point', coordinates: [77, 43], radius_m: 3000 }, fields: { rings: '4', ring_m: '500.0', bearing_ref: 'M', inward: 'true' } })
    expect(requestOf(bull)).toMatchObject({ shape: 'bullseye', radius_m: 3000, rings: 4, ring_m: 500, bearing_ref: 'M', inward: true })
    expect(plainOf(bull)).toMatchObject({ shape: 'circle', radius_m: 3000 })
  })
  it('gives a point its mark and colour, and a text none', () => {
    const spot = { fields: { iconsetpath: 'COT_MAPPING_SPOTMAP/b-m-p-s-m/-65536', color: '-65536' }, position: { lat_deg: 43, lon_deg: 77 } }
    expect(requestOf(row(spot))).toMatchObject({ shape: 'point', mark: 'dot', stroke: '#ff0000' })
    expect(requestOf(row({ ...spot, fields: { iconsetpath: 'COT_MAPPING_SPOTMAP/b-m-p-s-m/LABEL' } }))).toMatchObject({ shape: 'text' })
    expect(requestsOf('point', { shape: 'point', points: [CENTRE], radius_m: null }, { ...LOOK, mark: 'flag' })).toMatchObject([{ shape: 'point', mark: 'flag', stroke: LOOK.stroke }])
  })
  it('takes a corridor up by its centre line, and gives its corners to whom it is an area', () => {
    const { centre, corners, corridor_m } = CORRIDORS[1]
    const ring = [...corners, corners[0]].map(([lat, lon]) => [lon, lat])
    const way = row({ geometry: { type: 'Polygon', coordinates: [ring] }, fields: { corridor_m: String(corridor_m) } })
    const request = requestOf(way)!
    expect(request).toMatchObject({ shape: 'corridor', corridor_m: 300 })
    expect(penStrokeOf(way)).toMatchObject({ shape: 'line', points: request.points })
    expect(request.points).toHaveLength(centre.length)
    expect(strokeOfRow(way)).toMatchObject({ shape: 'polygon' })
    expect(plainOf(way)).toMatchObject({ shape: 'polygon', points: corners })
  })
  it('draws a row anew as it is', () => {
    const area = row({ geometry: { type: 'Polygon', coordinates: [[[77, 42], [77.2, 42], [77.2, 42.2], [77, 42]]], fill: '#11223344' }, fields: { layer: 'OPS', order: '2' } })
    expect(requestOf(area)).toMatchObject({ shape: 'polygon', uid: 'u1', layer: 'OPS', order: 2, fill: '#11223344', points: [[42, 77], [42, 77.2], [42.2, 77.2]] })
    const circle = row({ type: 'u-d-c-c', geometry: { type: 'Point', coordinates: [77, 42], radius_m: 500 } })
    expect(requestOf(circle)).toMatchObject({ shape: 'circle', radius_m: 500, points: [[42, 77]] })
    expect(requestOf(row({ aliases: [] }))).toBeNull()
  })
})

describe('a corridor', () => {
  it.each(CORRIDORS)('finds its centre line again: $name', ({ centre, corridor_m, corners }) => {
    const line = centreOf(corners as Pair[], corridor_m)!
    expect(line).toHaveLength(centre.length)
    // Corners are kept to a centimetre; where a line turns back on itself that moves its end by less than a metre.
    line.forEach((at, i) => expect(distance_m(at, centre[i] as Pair)).toBeLessThan(1))
  })
  it('is none without a corner across', () => {
    expect(centreOf([[43, 77], [43, 78], [44, 78]], 100)).toBeNull()
  })
  it('has its name on its line, not in the middle of its corners', () => {
    const { corners, corridor_m, centre } = CORRIDORS[1]
    const coordinates = [[...corners, corners[0]].map(([lat, lon]) => [lon, lat])]
    const [[lon, lat]] = anchorsOf({ type: 'u-d-f', geometry: { type: 'Polygon', coordinates }, drawn: { corridor_m: String(corridor_m) } })
    expect(Math.min(...centre.map((at) => distance_m([lat, lon], at as Pair)))).toBeLessThan(1000)
  })
  it('is 200 m wide until somebody says otherwise', () => {
    expect([null, 'x', '-3', '350'].map(readCorridor_m)).toEqual([200, 200, 200, 350])
  })
})

describe('marks', () => {
  it('are read from what phones say', () => {
    const plain = '10012500000000000000'
    expect(cssOfArgb('-256')).toBe('#ffff00')
    expect(markOf({ iconsetpath: 'COT_MAPPING_SPOTMAP/b-m-p-s-m/-16711936' }, plain)).toEqual({ mark: 'dot', colour: '#00ff00' })
    expect(markOf({ iconsetpath: 'f7f71666-8b28-4b57-9fbb-e38e61d33b79/Google/flag.png', color: '-256' }, plain)).toEqual({ mark: 'flag', colour: '#ffff00' })
    expect(markOf({ iconsetpath: 'COT_MAPPING_SPOTMAP/b-m-p-s-m/LABEL' }, plain)?.mark).toBe('text')
    expect(markOf({ iconsetpath: 'somebody/else/dog.png', color: '-256' }, plain)).toBeNull()
    expect(markOf({ iconsetpath: 'COT_MAPPING_SPOTMAP/b-m-p-s-m/-1' }, sidcOf('130300'))).toBeNull()
    expect(markOf({}, plain)).toBeNull()
  })
})

describe('a bullseye', () => {
  const meta = { geometry: { type: 'Point', coordinates: [77, 43], radius_m: 3000 } as Geometry, drawn: { rings: '3', ring_m: '1000.0' } }
  const texts = (zoom: number | null, drawn: Record<string, string> = meta.drawn) => bullseyeFeatures({ ...meta, drawn }, zoom)!.flatMap((one) => (one.properties?.label as string) ?? [])
  it('has a text for each twelfth of its compass and for each ring', () => {
    expect(texts(null)).toEqual(['000°', '030°', '060°', '090°', '120°', '150°', '180°', '210°', '240°', '270°', '300°', '330°', '1.00 km', '2.00 km', '3.00 km'])
    expect(texts(null, { inward: 'true' }).slice(0, 2)).toEqual(['180°', '210°'])
  })
  it('says less where there is less room', () => {
    expect(texts(11)).toEqual(['000°', '090°', '180°', '270°'])
    expect(texts(7)).toEqual([])
  })
  it('has its name at its centre, where no text of its compass stands', () => {
    expect(anchorsOf({ type: 'u-r-b-bullseye', ...meta })).toEqual([[77, 43]])
  })
  it('draws each ring once, its compass too', () => {
    const rings = bullseyeFeatures(meta, 7)!.filter((one) => one.geometry.type === 'LineString' && one.geometry.coordinates.length > 10)
    expect(rings).toHaveLength(3)
  })
})

describe('a bearing line', () => {
  it('has its course and length behind its name', () => {
    const [lat, lon] = away(CENTRE, 5200, 47)
    const line = { name: 'OP to BRAVO', type: 'u-rb-a', geometry: { type: 'LineString', coordinates: [[77, 43], [lon, lat]] } } as TrackMeta
    expect(shownName(line)).toBe('OP to BRAVO · 047° · 5.20 km')
    expect(bearingOf({ ...line, type: 'u-d-f' })).toBeNull()
  })
})

describe('layers', () => {
  it('stand in their order, what has no layer last', () => {
    const rows = [row({ id: '1' }), row({ id: '2', source: 'person:anna', fields: { layer: 'B', order: '0' } }), row({ id: '3', fields: { layer: 'A', order: '1' } })]
    expect(layersOf(rows).map((one) => [one.name, one.owners])).toEqual([['B', ['person:anna']], ['A', []], ['', []]])
  })
  it('are called and marked as was said of them', () => {
    const label = { policy: 'P', classification: 'RESTRICTED', releasable_to: [], groups: [], caveats: [], redacted_to: [], informative: [] }
    const said = [{ id: 'A', name: 'PLAN', order: null, label, set_by: 'x', set_at_ms: 1 }]
    const [layer] = layersOf([row({ fields: { layer: 'A' } })], said)
    expect([layer.id, layer.name, layer.label, layer.marked]).toEqual(['A', 'PLAN', 'RESTRICTED', true])
  })
  it('move to a place between two others, however often', () => {
    const rows = ['Ops', 'ops 2', 'Intel', 'Älpha'].map((layer, i) => row({ id: `${i}`, fields: { layer } }))
    let said: Parameters<typeof layersOf>[1] = []
    const names = () => layersOf(rows, said).map((one) => one.name)
    const move = (name: string, place: number) => {
      const layers = layersOf(rows, said)
      const order = orderAt(layers, layers.find((one) => one.name === name)!, place)
      if (order) said = [...said!.filter((one) => one.id !== name), { id: name, name, order, label: null, set_by: 'x', set_at_ms: 1 }]
    }
    expect(names()).toEqual(['Intel', 'Ops', 'ops 2', 'Älpha'])
    move('Älpha', 0)
    expect(names()).toEqual(['Älpha', 'Intel', 'Ops', 'ops 2'])
    move('Älpha', 2)
    expect(names()).toEqual(['Intel', 'Ops', 'Älpha', 'ops 2'])
    for (let i = 0; i < 200; i++) {
      const expected = names()
      expected.splice(1, 0, expected.splice(2, 1)[0])
      move(names()[2], 1)
      expect(names()).toEqual(expected)
    }
    expect(said!.every((one) => /^[0-9a-f]{0,1000}[1-9a-f]$/.test(one.order!))).toBe(true)
    move('Intel', 9)
    expect(orderAt([], layersOf(rows)[0], -1)).toBeNull()
  })
  it('have a place between any two, above all and below all', () => {
    for (const [above, below] of [[null, '01'], ['8', null], ['8', '81'], ['8', '9'], ['ff', null], [null, '6f8'], [orderOfName('ops'), orderOfName('ops 2')]] as const) {
      const found = orderBetween(above, below)
      expect(above === null || found > above).toBe(true)
      expect(below === null || found < below).toBe(true)
    }
  })
})

describe('catalogue', () => {
  it('is found by the beginnings of words', () => {
    expect(matching('ph li', (one) => (one.name === 'phaseLine' ? 'Phase line' : one.name)).map((one) => one.name)).toEqual(['phaseLine'])
  })
  it('is found by signs and abbreviations in its name', () => {
    const names: Record<string, string> = { oneWayRoute: 'Supply route, one-way traffic', forwardTroops: 'Forward line of own troops (FLOT)' }
    const found = (text: string) => matching(text, (one) => names[one.name] ?? '-').map((one) => one.name)
    expect([found('one-way'), found('flot'), found('route, (one')]).toEqual([['oneWayRoute'], ['forwardTroops'], ['oneWayRoute']])
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
