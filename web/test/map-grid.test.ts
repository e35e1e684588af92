import { describe, expect, it } from 'vitest'
import { CELL_PX, Clusters, columnsAt, LEAST } from '../src/map/cluster'
import { mercatorY, quickMercatorY } from '../src/map/mercator'
import { cellsOf, clip, figure, gridOf, stepOf, utmOf } from '../src/geo/grid'
import { utmPlace } from '../src/geo/place'
import { moved, readBrief } from '../src/brief/brief'

describe('the quick mercator', () => {
  it('is within a millimetre of the exact one up to 80 degrees', () => {
    for (let lat = -80; lat <= 80; lat += 0.0371) expect(Math.abs(quickMercatorY(lat) - mercatorY(lat)) * 40_075_017).toBeLessThan(1e-3)
    expect(quickMercatorY(90)).toBeCloseTo(mercatorY(90), 9)
  })
})

describe('the grid', () => {
  it('goes there and back within a few centimetres', () => {
    for (const [zone, lat, lon] of [[43, 42.9, 77.5], [32, 60, 3.5], [19, -33.4, -70.6]] as const) {
      const { easting_m, northing_m } = utmOf(zone, lat, lon)
      const place = utmPlace(zone, lat < 0, easting_m, northing_m)
      expect(place.lat_deg).toBeCloseTo(lat, 6)
      expect(place.lon_deg).toBeCloseTo(lon, 6)
    }
  })
  it('knows the odd zones off Norway and Svalbard', () => {
    const off = (lon: number, lat: number) => cellsOf([lon, lat, lon + 0.1, lat + 0.1]).map((cell) => `${cell.zone}${cell.band}`)
    expect(off(4, 60)).toEqual(['32V'])
    expect(off(8, 75)).toEqual(['31X'])
    expect(off(10, 75)).toEqual(['33X'])
    expect(off(77.5, 43)).toEqual(['43T'])
  })
  it('has few lines at every scale, with figures at the edge', () => {
    for (let span = 0.01; span < 300; span *= 1.7) {
      const grid = gridOf([77.5 - span / 2, 43 - span / 4, 77.5 + span / 2, Math.min(84, 43 + span / 4)], 1600)
      expect(grid.features.length).toBeLessThan(2500)
      expect(grid.features.length).toBeGreaterThan(0)
    }
    expect(stepOf([77, 43, 78, 43.5], 1600)).toBe(10_000)
    expect(figure(4_743_000, 1000)).toBe('43')
    expect(figure(612_300, 100)).toBe('12.3')
  })
  it('cuts no name of a square at the edges', () => {
    const [width_px, west, east] = [800, 77.5, 79]
    let names = 0
    for (let lon = 0; lon < 0.4; lon += 0.01) {
      for (const { properties, geometry } of gridOf([west + lon, 42, east + lon, 43], width_px).features) {
        if (properties?.kind !== 'square' || geometry.type !== 'Point') continue
        names++
        const x_px = ((geometry.coordinates[0] - west - lon) / (east - west)) * width_px
        expect(x_px).toBeGreaterThan(29)
        expect(x_px).toBeLessThan(width_px - 29)
        const low_px = (mercatorY(42) - mercatorY(geometry.coordinates[1])) * 360 / (east - west) * width_px
        expect(low_px).toBeGreaterThan(28)
      }
    }
    expect(names).toBeGreaterThan(40)
  })
  it('cuts a line at the edge of what is seen', () => {
    const [part] = clip([[0, 0], [10, 0], [20, 0]], [5, -1, 30, 1])
    expect(part[0][0]).toBeCloseTo(5, 3)
    expect(part.at(-1)).toEqual([20, 0])
  })
})

describe('clusters', () => {
  it('gather what lies on top of each other, units by two, others by four', () => {
    const tally = new Clusters()
    tally.begin(5, 0, 0, 1, 1)
    const edge = 1 / columnsAt(5, CELL_PX)
    const alone = tally.add(0, 0.5 + edge * 3.5, 0.5, 1, 0, false)
    for (let h = 1; h <= LEAST; h++) tally.add(h, 0.5 + edge / 2, 0.5, 1, 0, h === 1)
    tally.add(10, 0.7, 0.3, 1, 7, false)
    const unit = tally.add(11, 0.7, 0.3, 1, 7, true)
    expect(tally.gathers(alone)).toBe(false)
    expect(tally.gathers(unit)).toBe(true)
    const found = tally.gathered()
    expect(found.map((one) => [one.count, one.old, one.group])).toEqual([[LEAST, 1, 0], [2, 1, 7]])
    expect(found[0].first).toBe(1)
  })
  it('begin anew with every picture, on the world copy of the view', () => {
    const tally = new Clusters()
    for (const west of [0, 1]) {
      tally.begin(5, west, 0, 1, 1)
      for (let h = 0; h < LEAST; h++) tally.add(h, west + 0.25, 0.5, 1, 0, false)
      const [one, ...more] = tally.gathered()
      expect([one.count, one.x, ...one.split]).toEqual([LEAST, west + 0.25, 0.25, 0.5, 0, 0])
      expect(more).toEqual([])
    }
  })
})

describe('a brief', () => {
  const step = (id: string) => ({ id, title: id, notes: '', bounds: [1, 2, 3, 4] as [number, number, number, number], filter: {}, at_ms: null })
  it('moves a view, and stays whole at its ends', () => {
    const three = ['a', 'b', 'c'].map(step)
    expect(moved(three, 'c', -1).map((one) => one.id)).toEqual(['a', 'c', 'b'])
    expect(moved(three, 'a', -1).map((one) => one.id)).toEqual(['a', 'b', 'c'])
  })
  it('takes nothing broken out of the store', () => {
    expect(readBrief('{')).toEqual([])
    expect(readBrief(JSON.stringify([step('a'), { id: 3 }]))).toHaveLength(1)
  })
})
