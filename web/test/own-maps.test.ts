/** GeoTIFFs land where their tags say, look as their samples say, and lies end in a sentence. */
import { deflateSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'

/** What geotiff reads blobs with in a browser. */
vi.hoisted(() =>
  vi.stubGlobal('FileReader', class {
    result: ArrayBuffer | null = null
    onload: () => void = () => undefined
    readAsArrayBuffer(blob: Blob): void {
      void blob.arrayBuffer().then((bytes) => {
        this.result = bytes
        this.onload()
      })
    }
  }),
)

import { utmOf } from '../src/geo/grid'
import { mercatorX, mercatorY } from '../src/map/mercator'
import { MapFault, saying } from '../src/maps/fault'
import { readPicture } from '../src/maps/geotiff'
import { inflate, unpackBits, unpackLzw } from '../src/maps/inflate'
import { footprint, systemOf, type Picture } from '../src/maps/warp'

const SHORT = 3
const LONG = 4
const DOUBLE = 12
const ASCII = 2
type Entry = [tag: number, type: number, values: number[] | string]
interface Made {
  width: number
  height: number
  data: Uint8Array
  bits?: number
  format?: number
  samples?: number
  photometric?: number
  /** 8: deflate. */
  compression?: number
  epsg?: number | null
  /** 1 projected, 2 geographic. */
  model?: number
  point?: boolean
  origin?: [x: number, y: number]
  pixel?: [wide: number, high: number]
  more?: Entry[]
}

/** One directory, one strip, little endian (TIFF 6.0). */
function tiff(made: Made): Blob {
  const { samples = 1, bits = 8, origin = [76, 44], pixel = [1, 1], epsg = 4326 } = made
  const keys = [1, 1, 0, 3, 1024, 0, 1, made.model ?? 2, 1025, 0, 1, made.point ? 2 : 1, made.model === 1 ? 3072 : 2048, 0, 1, epsg ?? 0]
  const geo: Entry[] = epsg === null ? [] : [[33550, DOUBLE, [...pixel, 0]], [33922, DOUBLE, [0, 0, 0, ...origin, 0]], [34735, SHORT, keys]]
  const entries: Entry[] = [
    [256, LONG, [made.width]], [257, LONG, [made.height]], [258, SHORT, Array<number>(samples).fill(bits)], [259, SHORT, [made.compression ?? 1]],
    [262, SHORT, [made.photometric ?? (samples > 2 ? 2 : 1)]], [273, LONG, [8]], [277, SHORT, [samples]], [278, LONG, [made.height]],
    [279, LONG, [made.data.length]], [339, SHORT, Array<number>(samples).fill(made.format ?? 1)], ...geo, ...(made.more ?? []),
  ]
  entries.sort((a, b) => a[0] - b[0])
  const size = { [SHORT]: 2, [LONG]: 4, [DOUBLE]: 8, [ASCII]: 1 } as Record<number, number>
  const at = 8 + made.data.length + (made.data.length % 2)
  let spill = at + 2 + entries.length * 12 + 4
  const out = new DataView(new ArrayBuffer(spill + entries.reduce((sum, [, type, values]) => sum + size[type] * (values.length + 1) + 8, 0)))
  out.setUint16(0, 0x4949)
  out.setUint16(2, 42, true)
  out.setUint32(4, at, true)
  new Uint8Array(out.buffer).set(made.data, 8)
  out.setUint16(at, entries.length, true)
  entries.forEach(([tag, type, said], n) => {
    const values = typeof said === 'string' ? [...new TextEncoder().encode(`${said}\0`)] : said
    const entry = at + 2 + n * 12
    out.setUint16(entry, tag, true)
    out.setUint16(entry + 2, type, true)
    out.setUint32(entry + 4, values.length, true)
    const bytes = size[type] * values.length
    let to = entry + 8
    if (bytes > 4) {
      out.setUint32(entry + 8, spill, true)
      to = spill
      spill += bytes + (bytes % 2)
    }
    for (const value of values) {
      if (type === DOUBLE) out.setFloat64(to, value, true)
      else if (type === LONG) out.setUint32(to, value, true)
      else if (type === SHORT) out.setUint16(to, value, true)
      else out.setUint8(to, value)
      to += size[type]
    }
  })
  return new Blob([out.buffer])
}

/** The four bytes that the map shows at a place. */
function at({ pixels, width_px, height_px, box: [west, south, east, north] }: Picture, lon: number, lat: number): number[] {
  const x = Math.floor(((mercatorX(lon) - mercatorX(west)) / (mercatorX(east) - mercatorX(west))) * width_px)
  const y = Math.floor(((mercatorY(lat) - mercatorY(north)) / (mercatorY(south) - mercatorY(north))) * height_px)
  return [...pixels.slice((y * width_px + x) * 4, (y * width_px + x) * 4 + 4)]
}

/** Many grey pixels, one of them white. */
function grey(width: number, height: number, col: number, row: number): Uint8Array {
  const data = new Uint8Array(width * height)
  data[row * width + col] = 255
  return data
}
async function faultOf(file: Blob): Promise<MapFault> {
  const found: unknown = await readPicture(file).catch((error: unknown) => error)
  expect(found).toBeInstanceOf(MapFault)
  return found as MapFault
}
const WHITE = [255, 255, 255, 255]
const BLACK = [0, 0, 0, 255]

describe('a GeoTIFF lies where its tags say', () => {
  it('in degrees', async () => {
    const shown = await readPicture(tiff({ width: 80, height: 40, data: grey(80, 40, 30, 10), pixel: [0.1, 0.1] }))
    shown.box.forEach((edge, i) => expect(edge).toBeCloseTo([76, 40, 84, 44][i], 9))
    expect(at(shown, 79.05, 42.95)).toEqual(WHITE)
    for (const [lon, lat] of [[78.85, 42.95], [79.25, 42.95], [79.05, 43.15], [79.05, 42.75]]) expect(at(shown, lon, lat)).toEqual(BLACK)
  })
  it('in degrees over the whole world, whose rows Mercator spreads', async () => {
    const shown = await readPicture(tiff({ width: 360, height: 180, data: grey(360, 180, 200, 20), origin: [-180, 90] }))
    expect(shown.box[3]).toBeCloseTo(85.051129, 6)
    expect(at(shown, 20.5, 69.5)).toEqual(WHITE)
    expect(at(shown, 20.5, 67)).toEqual(BLACK)
  })
  it('in web mercator', async () => {
    const [x, y] = [(mercatorX(77.5) - 0.5) * 40_075_016.685578488, (0.5 - mercatorY(42.5)) * 40_075_016.685578488]
    const shown = await readPicture(tiff({ width: 64, height: 64, data: grey(64, 64, 32, 32), model: 1, epsg: 3857, origin: [x - 3250, y + 3250], pixel: [100, 100] }))
    expect([shown.width_px, shown.height_px]).toEqual([64, 64])
    expect(at(shown, 77.5, 42.5)).toEqual(WHITE)
    expect(at(shown, 77.502, 42.5)).toEqual(BLACK)
  })
  it.each([[43, 42.9, 77.5, 32643], [43, 42.9, 78.9, 32643], [19, -33.4, -70.6, 32719]])('in UTM zone %i at %f, %f', async (zone, lat, lon, epsg) => {
    const { easting_m, northing_m } = utmOf(zone, lat, lon)
    const shown = await readPicture(tiff({ width: 301, height: 301, data: grey(301, 301, 150, 150), model: 1, epsg, origin: [easting_m - 15_050, northing_m + 15_050], pixel: [100, 100] }))
    expect(at(shown, lon, lat)).toEqual(WHITE)
    expect(at(shown, lon + 0.004, lat)[0]).toBe(0)
    expect(at(shown, lon, lat + 0.003)[0]).toBe(0)
  })
  it('with its first pixel counted from the middle', async () => {
    const shown = await readPicture(tiff({ width: 8, height: 8, data: grey(8, 8, 0, 0), point: true }))
    expect(shown.box[0]).toBeCloseTo(75.5, 9)
    expect(shown.box[3]).toBeCloseTo(44.5, 9)
  })
  it('turned by a matrix', async () => {
    // A quarter turn: columns run south, rows run east.
    const matrix: Entry = [34264, DOUBLE, [0, 0.1, 0, 76, -0.1, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 1]]
    const shown = await readPicture(tiff({ width: 40, height: 20, data: grey(40, 20, 30, 5), more: [matrix] }))
    expect(shown.box.map((edge) => Math.round(edge * 1e6) / 1e6)).toEqual([76, 40, 78, 44])
    expect(at(shown, 76.55, 40.95)).toEqual(WHITE)
  })
  it('thinned where it is larger than what is drawn', async () => {
    const file = tiff({ width: 1000, height: 500, data: new Uint8Array(500_000).fill(9).fill(200, 250_000), pixel: [0.01, 0.01] })
    const shown = await readPicture(file, 100)
    expect(Math.max(shown.width_px, shown.height_px)).toBeLessThanOrEqual(100)
    expect([at(shown, 80, 43)[0], at(shown, 80, 40)[0]]).toEqual([0, 255])
  })
})

describe('a pixel looks as its samples say', () => {
  const wide = { width: 2, height: 1 }
  const both = (shown: Picture) => [at(shown, 76.5, 43.5), at(shown, 77.5, 43.5)]

  it('as RGB, and as RGBA', async () => {
    expect(both(await readPicture(tiff({ ...wide, samples: 3, data: Uint8Array.of(10, 20, 30, 200, 100, 50) })))).toEqual([[10, 20, 30, 255], [200, 100, 50, 255]])
    const clear = tiff({ ...wide, samples: 4, data: Uint8Array.of(10, 20, 30, 0, 200, 100, 50, 128), more: [[338, SHORT, [2]]] })
    expect(both(await readPicture(clear))).toEqual([[10, 20, 30, 0], [200, 100, 50, 128]])
  })
  it('as a palette', async () => {
    const map = Array<number>(768).fill(0)
    map[7] = 65_535
    map[256 + 9] = 32_768
    expect(both(await readPicture(tiff({ ...wide, photometric: 3, data: Uint8Array.of(7, 9), more: [[320, SHORT, map]] })))).toEqual([[255, 0, 0, 255], [0, 128, 0, 255]])
  })
  it('as one band of 16 bits or floats, stretched; what is no data is clear', async () => {
    const heights = new Uint8Array(Int16Array.of(-100, 900).buffer)
    expect(both(await readPicture(tiff({ ...wide, bits: 16, format: 2, data: heights })))).toEqual([BLACK, WHITE])
    const none = -3.4028234663852886e38
    const floats = new Uint8Array(Float32Array.of(none, 7, NaN, 3).buffer)
    const shown = await readPicture(tiff({ width: 4, height: 1, bits: 32, format: 3, data: floats, more: [[42113, ASCII, String(none)]] }))
    expect([76.5, 77.5, 78.5, 79.5].map((lon) => at(shown, lon, 43.5))).toEqual([[0, 0, 0, 0], WHITE, [0, 0, 0, 0], BLACK])
  })
  it('the other way where white is zero, and packed', async () => {
    expect(both(await readPicture(tiff({ ...wide, photometric: 0, compression: 8, data: new Uint8Array(deflateSync(Uint8Array.of(0, 9))) })))).toEqual([WHITE, BLACK])
    expect(both(await readPicture(tiff({ ...wide, compression: 5, data: packLzw(Uint8Array.of(0, 9)) })))).toEqual([BLACK, WHITE])
    // Each value is the difference to the one before it.
    expect(both(await readPicture(tiff({ ...wide, compression: 5, data: packLzw(Uint8Array.of(200, 100)), more: [[317, SHORT, [2]]] })))).toEqual([WHITE, BLACK])
  })
})

describe('what cannot be read is said', () => {
  const small = { width: 2, height: 2, data: new Uint8Array(4) }

  it('without a place', async () => {
    expect((await faultOf(tiff({ ...small, epsg: null }))).fault).toBe('noPlace')
    expect((await faultOf(tiff({ ...small, pixel: [0, 0] }))).fault).toMatch(/noPlace|outside/)
  })
  it('in another system, with its name', async () => {
    const found = await faultOf(tiff({ ...small, model: 1, epsg: 2154 }))
    expect([found.fault, found.words]).toEqual(['projection', { system: 'EPSG:2154' }])
    expect(saying(found, 'x.tif')).toEqual({ key: 'ownMaps.fault.projection', words: { system: 'EPSG:2154', name: 'x.tif' } })
  })
  it('outside the world', async () => {
    expect((await faultOf(tiff({ ...small, origin: [500_000, 4_600_000] }))).fault).toBe('outside')
    expect((await faultOf(tiff({ ...small, model: 1, epsg: 32643, origin: [9e6, 4_600_000] }))).fault).toBe('outside')
    expect((await faultOf(tiff({ ...small, origin: [NaN, 44] }))).fault).toBe('outside')
  })
  it('with dimensions that nobody can hold', async () => {
    for (const [width, height] of [[0xffffffff, 0xffffffff], [1, 0xffffffff], [20_000, 20_000]]) {
      expect((await faultOf(tiff({ ...small, width, height, pixel: [1e-9, 1e-9] }))).fault).toBe('tooLarge')
    }
    expect((await faultOf(tiff({ ...small, width: 0 }))).fault).toBe('damaged')
  })
  it('cut off anywhere, or no TIFF at all', async () => {
    const whole = new Uint8Array(await tiff({ width: 64, height: 64, data: grey(64, 64, 1, 1), pixel: [0.01, 0.01] }).arrayBuffer())
    for (let end = 0; end < whole.length - 200; end += 97) await faultOf(new Blob([whole.slice(0, end)]))
    expect((await faultOf(new Blob(['<html>']))).fault).toBe('damaged')
    expect((await faultOf(tiff({ width: 64, height: 64, data: new Uint8Array(9), pixel: [0.01, 0.01] }))).fault).toBe('damaged')
  })
  it('with bytes changed at random: a picture or a fault, nothing else', async () => {
    const whole = new Uint8Array(await tiff({ width: 16, height: 16, samples: 3, data: new Uint8Array(768) }).arrayBuffer())
    let seed = 7
    const dice = (sides: number) => (seed = (seed * 48_271) % 2_147_483_647) % sides
    for (let turn = 0; turn < 300; turn++) {
      const broken = whole.slice()
      for (let n = 0; n < 3; n++) broken[dice(2) ? 776 + dice(whole.length - 776) : dice(8)] = dice(256)
      const found: unknown = await readPicture(new Blob([broken]), 256).catch((error: unknown) => error)
      if (found instanceof Error) expect(found).toBeInstanceOf(MapFault)
    }
  })
  it('in kinds of pixels that are not read', async () => {
    expect((await faultOf(tiff({ ...small, photometric: 8 }))).fault).toBe('pixels')
    expect((await faultOf(tiff({ ...small, photometric: 2 }))).fault).toBe('pixels')
  })
})

/** The writer's side of TIFF 6.0, 13: codes of 9 to 12 bits, the highest bit first, one code early. */
function packLzw(data: Uint8Array): Uint8Array {
  const bits: number[] = []
  let [width, table, run] = [9, new Map<string, number>(), '']
  const put = (code: number) => {
    for (let i = width - 1; i >= 0; i--) bits.push((code >> i) & 1)
  }
  const codeOf = (text: string) => (text.length === 1 ? text.charCodeAt(0) : table.get(text)!)
  put(256)
  for (const byte of data) {
    const longer = run + String.fromCharCode(byte)
    if (longer.length === 1 || table.has(longer)) {
      run = longer
      continue
    }
    put(codeOf(run))
    table.set(longer, 258 + table.size)
    if (258 + table.size === (1 << width)) width++
    if (table.size === 4094 - 258) {
      put(256)
      ;[width, table] = [9, new Map()]
    }
    run = String.fromCharCode(byte)
  }
  put(codeOf(run))
  put(257)
  const out = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, i) => (out[i >> 3] |= bit << (7 - (i & 7))))
  return out
}

describe('a block is unpacked', () => {
  let seed = 3
  const noise = (sides: number) => Uint8Array.from({ length: 30_000 }, () => (seed = (seed * 48_271) % 2_147_483_647) % sides)

  it('from LZW, whether it repeats itself or not', () => {
    for (const sides of [1, 2, 7, 256]) {
      const data = noise(sides)
      expect(unpackLzw(packLzw(data), 40_000)).toEqual(data)
      expect(unpackLzw(packLzw(data), 500)).toEqual(data.slice(0, 500))
    }
  })
  it('from runs and copies, as the specification shows them', () => {
    const packed = Uint8Array.of(0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa)
    const bytes = [0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0x22, ...Array<number>(10).fill(0xaa)]
    expect([...unpackBits(packed, 99)]).toEqual(bytes)
    expect([...unpackBits(packed, 5)]).toEqual(bytes.slice(0, 5))
  })
  it('into no more than its tags say, however much is packed', async () => {
    const bomb = new Uint8Array(deflateSync(new Uint8Array(8 << 20)))
    expect((await inflate(bomb.buffer, 1000)).length).toBe(1000)
    expect(unpackLzw(packLzw(new Uint8Array(1 << 20)), 1000).length).toBe(1000)
    const shown = await readPicture(tiff({ width: 2, height: 1, compression: 8, data: bomb }))
    expect(shown.width_px).toBe(2)
  })
  it('not from codes that stand for nothing', () => {
    expect(() => unpackLzw(Uint8Array.of(0x80, 0x7f, 0xff, 0xff), 100)).toThrow(RangeError)
  })
})

describe('systems', () => {
  it('are those of degrees, web mercator and UTM on WGS 84', () => {
    expect(systemOf(32601)).toEqual({ kind: 'utm', zone: 1, south: false })
    expect(systemOf(32760)).toEqual({ kind: 'utm', zone: 60, south: true })
    expect([32600, 32661, 32761, 4258, 32767, 0].map(systemOf)).toEqual([null, null, null, null, null, null])
  })
  it('keep one false northing across the equator', () => {
    const [, south, , north] = footprint({ system: { kind: 'utm', zone: 43, south: false }, affine: [1000, 0, 450_000, 0, -1000, 50_000], width_px: 100, height_px: 100 })
    expect(south).toBeCloseTo(-north, 4)
  })
})
