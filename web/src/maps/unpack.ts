/** What a pixel of a TIFF looks like: which of its samples are colours, and how they are shown (TIFF 6.0, PhotometricInterpretation). */
import { MapFault } from './fault'

/** Writes the four bytes of a pixel of the source at `into[at]`; what is clear stays as it is. */
export type Painter = (pixel: number, into: Uint8ClampedArray, at: number) => void

/** What the tags of a TIFF say of its samples. */
export interface Tags {
  photometric: number
  compression: number
  samples: number
  /** Of the first sample, which stands for all. */
  bits: number
  /** 1 unsigned, 2 signed, 3 floating. */
  format: number
  /** Of the samples after the colours: 1 and 2 are opacity. */
  extra: readonly number[]
}
export interface Layout {
  kind: 'grey' | 'rgb' | 'ycbcr' | 'palette'
  /** Numbers of the samples that are colours. */
  colours: number[]
  /** Number of the sample that is opacity; null: all is opaque. */
  alpha: number | null
}
export interface Raster {
  layout: Layout
  tags: Tags
  /** One value for each pixel, for each of the colours. */
  bands: readonly ArrayLike<number>[]
  alpha: ArrayLike<number> | null
  /** Value of what is no data; null: there is none. Not-a-number is never data. */
  nodata: number | null
  /** Of a palette: all reds, then all greens, then all blues. */
  colour_map: ArrayLike<number> | null
}

const JPEG = 7
const KINDS: Record<number, Layout['kind']> = { 0: 'grey', 1: 'grey', 2: 'rgb', 3: 'palette', 6: 'ycbcr' }
/** Bits of a palette's index. */
const PALETTE_BITS = 8

/** Which samples are shown, and how. Throws MapFault for kinds that are not read. */
export function layoutOf({ photometric, compression, samples, bits, extra }: Tags): Layout {
  const kind = KINDS[photometric]
  const wanted = kind === 'grey' || kind === 'palette' ? 1 : 3
  // Only JPEG brings the two colour samples at full size.
  const readable = kind !== undefined && samples >= wanted && (kind !== 'ycbcr' || compression === JPEG) && (kind !== 'palette' || bits <= PALETTE_BITS)
  if (!readable) throw new MapFault('pixels', { kind: `PhotometricInterpretation ${photometric}, SamplesPerPixel ${samples}, BitsPerSample ${bits}` })
  const opaque = extra.findIndex((one) => one === 1 || one === 2)
  const alpha = opaque < 0 ? null : samples - extra.length + opaque
  return { kind, colours: [0, 1, 2].slice(0, wanted), alpha: alpha !== null && alpha >= wanted && alpha < samples ? alpha : null }
}

/** How the pixels of a raster are shown. Bands that are no bytes, and single ones, are stretched from their least to their greatest value. */
export function painterOf(raster: Raster): Painter {
  const { kind } = raster.layout
  const colour = kind === 'palette' ? paletteColour(raster) : kind === 'ycbcr' ? ycbcrColour(raster) : plainColour(raster)
  const is_data = dataTest(raster)
  const { alpha, tags } = raster
  const opaque = tags.format === 3 ? 1 : 2 ** tags.bits - 1
  return (pixel, into, at) => {
    if (!is_data(pixel)) return
    colour(pixel, into, at)
    into[at + 3] = alpha ? (alpha[pixel] / opaque) * 255 : 255
  }
}

function dataTest({ bands, nodata, tags }: Raster): (pixel: number) => boolean {
  if (tags.format !== 3 && nodata === null) return () => true
  // The tag is written as text with more digits than a short float holds.
  const none = nodata !== null && tags.format === 3 && tags.bits === 32 ? Math.fround(nodata) : nodata
  const [first, ...others] = bands
  return (pixel) => {
    const value = first[pixel]
    if (Number.isNaN(value)) return false
    return value !== none || others.some((band) => band[pixel] !== none)
  }
}

function plainColour(raster: Raster): Painter {
  const { bands, tags } = raster
  const is_grey = bands.length === 1
  const [red, green, blue] = is_grey ? [bands[0], bands[0], bands[0]] : bands
  if (!is_grey && tags.bits === 8 && tags.format === 1) {
    return (pixel, into, at) => {
      into[at] = red[pixel]
      into[at + 1] = green[pixel]
      into[at + 2] = blue[pixel]
    }
  }
  const [least, greatest] = rangeOf(raster)
  const flat = greatest === least
  // WhiteIsZero runs the other way.
  const [from, factor] = tags.photometric === 0 ? [greatest, -255 / (greatest - least)] : [least, 255 / (greatest - least)]
  const shade = (value: number) => (flat ? 128 : (value - from) * factor)
  return (pixel, into, at) => {
    into[at] = shade(red[pixel])
    into[at + 1] = shade(green[pixel])
    into[at + 2] = shade(blue[pixel])
  }
}

/** Least and greatest value of what is data, of all bands together, so that colours keep their tone. */
function rangeOf(raster: Raster): [least: number, greatest: number] {
  const is_data = dataTest(raster)
  let [least, greatest] = [Infinity, -Infinity]
  for (const band of raster.bands) {
    for (let i = 0; i < band.length; i++) {
      const value = band[i]
      if (!Number.isFinite(value) || !is_data(i)) continue
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
  }
  return least <= greatest ? [least, greatest] : [0, 0]
}

function paletteColour({ bands: [index], colour_map, tags }: Raster): Painter {
  const colours = 2 ** tags.bits
  if (!colour_map || colour_map.length < colours * 3) throw new MapFault('damaged')
  // Some writers put bytes where 16 bits are meant.
  const shift = Array.from(colour_map).some((value) => value > 255) ? 8 : 0
  return (pixel, into, at) => {
    for (let i = 0; i < 3; i++) into[at + i] = colour_map[i * colours + index[pixel]] >> shift
  }
}

/** Full-range luma and two colour differences, as JPEG has them (ITU-T T.871, 7). */
function ycbcrColour({ bands: [luma, blue, red] }: Raster): Painter {
  return (pixel, into, at) => {
    const [y, cb, cr] = [luma[pixel], blue[pixel] - 128, red[pixel] - 128]
    into[at] = y + 1.402 * cr
    into[at + 1] = y - 0.344136 * cb - 0.714136 * cr
    into[at + 2] = y + 1.772 * cb
  }
}
