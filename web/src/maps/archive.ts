/** What a PMTiles archive says of itself, and whether its tiles are any that a map draws. */
import { Compression, PMTiles, TileType, type Header, type Source } from 'pmtiles'
import { MapFault } from './fault'
import type { Box } from './warp'

export interface Archive {
  /** Names of vector layers; null: its tiles are pictures. */
  layers: string[] | null
  bounds: Box
  attribution: string
}
const PICTURES: readonly TileType[] = [TileType.Png, TileType.Jpeg, TileType.Webp, TileType.Avif]
/** What this page unpacks (`DecompressionStream`); brotli and zstd are none of it. */
const PACKINGS: readonly Compression[] = [Compression.Unknown, Compression.None, Compression.Gzip]

/**
 * Reads head, metadata and one tile. Throws MapFault for what will never be drawn, and whatever the source throws:
 * a node that does not answer is no fault of the file.
 */
export async function readArchive(source: Source): Promise<Archive> {
  let gone: unknown = null
  const archive = new PMTiles({
    getKey: () => source.getKey(),
    getBytes: (...where) => source.getBytes(...where).catch((error: unknown) => {
      gone = error
      throw error
    }),
  })
  try {
    const header = await archive.getHeader()
    const about = ((await archive.getMetadata()) ?? {}) as { vector_layers?: { id: string }[]; attribution?: string }
    checkKind(header)
    const is_picture = PICTURES.includes(header.tileType)
    const layers = is_picture ? null : (about.vector_layers ?? []).map((layer) => layer.id)
    if (layers && !layers.length) throw new MapFault('tiles', { kind: 'vector_layers: 0' })
    if (is_picture) await checkPicture(archive, header)
    return { layers, bounds: [header.minLon, header.minLat, header.maxLon, header.maxLat], attribution: about.attribution ?? '' }
  } catch (error) {
    if (gone ?? error instanceof MapFault) throw gone ?? error
    throw new MapFault('noArchive')
  }
}

function checkKind({ tileType, tileCompression }: Header): void {
  if (tileType !== TileType.Mvt && !PICTURES.includes(tileType)) throw new MapFault('tiles', { kind: TileType[tileType] ?? String(tileType) })
  if (!PACKINGS.includes(tileCompression)) throw new MapFault('tiles', { kind: Compression[tileCompression] ?? String(tileCompression) })
}

/** The tile in the middle of its lowest zoom, where there is one, is a picture. */
async function checkPicture(archive: PMTiles, { minZoom, minLon, maxLon, minLat, maxLat }: Header): Promise<void> {
  const edge = 2 ** minZoom
  const lat = (((minLat + maxLat) / 2) * Math.PI) / 180
  const x = Math.floor((((minLon + maxLon) / 2 + 180) / 360) * edge)
  const y = Math.floor(((1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2) * edge)
  const at = (value: number) => Math.max(0, Math.min(edge - 1, value))
  const tile = await archive.getZxy(minZoom, at(x), at(y))
  if (!tile) return
  const picture = await createImageBitmap(new Blob([tile.data])).catch(() => {
    throw new MapFault('tiles', { kind: TileType[TileType.Unknown] })
  })
  picture.close()
}
