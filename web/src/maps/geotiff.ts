/** A GeoTIFF (OGC 19-008r4) as a picture for the map. Whatever the file claims is bounded before it is believed. */
import { fromBlob, type GeoTIFF, type GeoTIFFImage } from 'geotiff'
import { MapFault } from './fault'
import { boundUnpacking } from './inflate'
import { layoutOf, painterOf, type Raster, type Tags } from './unpack'
import { systemOf, warp, type Affine, type Picture, type System } from './warp'

/** Pixels along the longer edge of what is drawn: every graphics chip of today takes that many. */
export const EDGE_MAX_PX = 4096
/** Pixels of a level that are read at all; what is drawn is thinned out of them. */
export const PIXELS_MAX = 256_000_000
/** Of a tile or strip with all its samples, unpacked. */
const BLOCK_BYTES_MAX = 256 << 20
const BLOCKS_MAX = 100_000
/** Pixels that are unpacked at once. */
const WINDOW_PIXELS = 4_000_000
/** The picture, its overviews and their masks; a file may claim endlessly many. */
const LEVELS_MAX = 32
/** NewSubfileType (TIFF 6.0): the picture once more, smaller; a mask. */
const REDUCED = 1
const MASK = 4
/** GTModelTypeGeoKey and GTRasterTypeGeoKey (OGC 19-008r4, 7). */
const PROJECTED = 1
const GEOGRAPHIC = 2
const PIXEL_IS_POINT = 2

boundUnpacking()

/** Reads a file. Throws MapFault. */
export async function readPicture(file: Blob, edge_px = EDGE_MAX_PX): Promise<Picture> {
  try {
    const tiff = await fromBlob(file)
    // Arrays that are read later are read as little endian whatever the file is (geotiff 3.0.5).
    tiff.parser.eager = true
    return await pictureOf(tiff, edge_px)
  } catch (error) {
    if (error instanceof MapFault) throw error
    // The library has no error of its own: it runs off the end, or says Error for what it does not know.
    throw new MapFault('damaged')
  }
}

async function pictureOf(tiff: GeoTIFF, edge_px: number): Promise<Picture> {
  const [full, ...smaller] = await levelsOf(tiff)
  const system = systemIn(full)
  const affine = affineOf(full)
  const level = choose([full, ...smaller], edge_px)
  const [wide, high] = [full.getWidth() / level.getWidth(), full.getHeight() / level.getHeight()]
  const step = Math.max(1, Math.floor(Math.max(level.getWidth(), level.getHeight()) / edge_px))
  const [width_px, height_px] = [Math.ceil(level.getWidth() / step), Math.ceil(level.getHeight() / step)]
  const raster = await rasterOf(level, full, step)
  return warp({ system, affine: scaled(affine, wide * step, high * step), width_px, height_px }, painterOf(raster), edge_px)
}

/** The picture and its overviews, the picture first. */
async function levelsOf(tiff: GeoTIFF): Promise<GeoTIFFImage[]> {
  const levels = [await tiff.getImage(0)]
  for (let i = 1; i < LEVELS_MAX; i++) {
    const next = await tiff.getImage(i).catch(() => null)
    // No more of them, or one that is broken: the picture itself may still be whole.
    if (!next) break
    const kind = Number(next.fileDirectory.getValue('NewSubfileType') ?? 0)
    if (kind & REDUCED && !(kind & MASK)) levels.push(next)
  }
  return levels
}

function systemIn(image: GeoTIFFImage): System {
  const keys = image.getGeoKeys()
  if (!keys) throw new MapFault('noPlace')
  const { GTModelTypeGeoKey: model, ProjectedCSTypeGeoKey: projected, GeographicTypeGeoKey: geographic } = keys
  const code: unknown = model === PROJECTED ? projected : model === GEOGRAPHIC ? geographic : (projected ?? geographic)
  const system = typeof code === 'number' ? systemOf(code) : null
  if (!system) throw new MapFault('projection', { system: code === undefined ? '?' : `EPSG:${String(code)}` })
  return system
}

function affineOf(image: GeoTIFFImage): Affine {
  const directory = image.fileDirectory
  const matrix = directory.getValue('ModelTransformation')
  const tie = directory.getValue('ModelTiepoint')
  const scale = directory.getValue('ModelPixelScale')
  let affine: Affine
  if (matrix && matrix.length >= 8) affine = [matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7]]
  else if (tie && scale && tie.length >= 6 && scale.length >= 2) {
    const [col, row, , x, y] = tie
    affine = [scale[0], 0, x - col * scale[0], 0, -scale[1], y + row * scale[1]]
  } else throw new MapFault('noPlace')
  if (image.getGeoKeys()?.GTRasterTypeGeoKey !== PIXEL_IS_POINT) return affine
  // Counted from the middle of the first pixel.
  const [a, b, c, d, e, f] = affine
  return [a, b, c - (a + b) / 2, d, e, f - (d + e) / 2]
}

/** The same of pixels that are so many times wider and higher. */
function scaled([a, b, c, d, e, f]: Affine, wide: number, high: number): Affine {
  return [a * wide, b * high, c, d * wide, e * high, f]
}

/** The smallest level that is no coarser than what is drawn. Throws MapFault where all that may be read are too large. */
function choose(levels: readonly GeoTIFFImage[], edge_px: number): GeoTIFFImage {
  const [full] = levels
  const edge = (image: GeoTIFFImage) => Math.max(image.getWidth(), image.getHeight())
  if (!levels.every((image) => image.getWidth() > 0 && image.getHeight() > 0 && image.getTileWidth() > 0 && image.getTileHeight() > 0)) throw new MapFault('damaged')
  const readable = levels.filter(isBounded).sort((a, b) => edge(a) - edge(b))
  const found = readable.find((image) => edge(image) >= edge_px) ?? readable.at(-1)
  if (!found) throw new MapFault('tooLarge', { width: String(full.getWidth()), height: String(full.getHeight()), millions: String(PIXELS_MAX / 1e6) })
  return found
}

function isBounded(image: GeoTIFFImage): boolean {
  const [width, height, tile_width, tile_height] = [image.getWidth(), image.getHeight(), image.getTileWidth(), image.getTileHeight()]
  const blocks = Math.ceil(width / tile_width) * Math.ceil(height / tile_height)
  return width * height <= PIXELS_MAX && tile_width * tile_height * image.getBytesPerPixel() <= BLOCK_BYTES_MAX && blocks <= BLOCKS_MAX
}

function tagsOf(image: GeoTIFFImage): Tags {
  const directory = image.fileDirectory
  return {
    photometric: Number(directory.getValue('PhotometricInterpretation') ?? 1),
    compression: Number(directory.getValue('Compression') ?? 1),
    samples: image.getSamplesPerPixel(),
    bits: image.getBitsPerSample(),
    format: image.getSampleFormat(),
    extra: Array.from(directory.getValue('ExtraSamples') ?? [], Number),
  }
}

/** Every `step`th pixel of every `step`th row. */
async function rasterOf(image: GeoTIFFImage, full: GeoTIFFImage, step: number): Promise<Raster> {
  const tags = tagsOf(image)
  const layout = layoutOf(tags)
  const samples = layout.alpha === null ? layout.colours : [...layout.colours, layout.alpha]
  const [width, height] = [image.getWidth(), image.getHeight()]
  const [cols, rows] = [Math.ceil(width / step), Math.ceil(height / step)]
  const bands = samples.map((sample) => image.getArrayForSample(sample, cols * rows))
  const block = image.getTileHeight()
  const window = block * Math.max(1, Math.floor(WINDOW_PIXELS / (width * block)))
  for (let top = 0; top < height; top += window) {
    const bottom = Math.min(height, top + window)
    const read = await image.readRasters({ window: [0, top, width, bottom], samples: [...samples], interleave: false })
    for (let row = Math.ceil(top / step); row * step < bottom; row++) {
      const from = (row * step - top) * width
      bands.forEach((band, b) => {
        for (let col = 0; col < cols; col++) band[row * cols + col] = read[b][from + col * step]
      })
    }
  }
  return {
    layout,
    tags,
    bands: bands.slice(0, layout.colours.length),
    alpha: layout.alpha === null ? null : bands[layout.colours.length],
    nodata: nodataOf(full),
    colour_map: layout.kind === 'palette' ? ((await image.fileDirectory.loadValue('ColorMap')) ?? null) : null,
  }
}

/** What GDAL wrote as text; null: nothing, or no number. */
function nodataOf(image: GeoTIFFImage): number | null {
  const said: unknown = image.fileDirectory.getValue('GDAL_NODATA')
  const value = typeof said === 'string' ? Number.parseFloat(said) : Number.NaN
  return Number.isNaN(value) ? null : value
}
