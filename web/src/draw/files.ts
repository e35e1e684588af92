/** Overlays as files: which format a file is, its bytes for the node, and a layer as a file to keep. */
import type { OverlayFile } from '../api.generated'
import { call } from '../api/client'

type TextFormat = 'geojson' | 'kml' | 'gpx'
/** What a layer can be saved as, and how each is called. */
export const EXPORTS = { geojson: 'GeoJSON', kml: 'KML', kmz: 'KMZ', gpx: 'GPX', gpkg: 'GeoPackage' } as const
export type ExportFormat = keyof typeof EXPORTS
const FORMATS: Record<string, string> = { geojson: 'geojson', json: 'geojson', kml: 'kml', kmz: 'kmz', gpx: 'gpx', gpkg: 'gpkg' }
const KINDS: Record<TextFormat, string> = { geojson: 'application/geo+json', kml: 'application/vnd.google-earth.kml+xml', gpx: 'application/gpx+xml' }

/** The format by the end of the name; null for others. */
export function formatOf(name: string): string | null {
  return FORMATS[name.split('.').pop()?.toLowerCase() ?? ''] ?? null
}

/** Name of the layer that a file becomes. */
export function layerOfFile(name: string): string {
  return name.replace(/\.[^.]+$/, '').replace(/\s+/g, ' ').trim().slice(0, 80) || name
}

export async function base64Of(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

export interface Piece {
  /** left_out: a drawing that the format has no word for; the text is its name. */
  part: 'head' | 'drawing' | 'left_out' | 'tail'
  text: string
}
/** The whole text of an export from its pieces. */
export function joined(format: TextFormat, pieces: readonly Piece[]): string {
  const of = (part: Piece['part']) => pieces.filter((piece) => piece.part === part).map((piece) => piece.text)
  return [of('head').join(''), of('drawing').join(format === 'geojson' ? ',' : ''), of('tail').join('')].join('')
}

/** Reads a layer from the node and gives it to the browser as a file. Answers how many drawings are not in it. Throws ApiError. */
export async function saveLayer(layer: string, format: ExportFormat): Promise<number> {
  const asked = `layer=${encodeURIComponent(layer)}&format=${format}`
  if (format === 'kmz' || format === 'gpkg') {
    const { name, mime, base64 } = await call<OverlayFile>('GET', `/overlays/file?${asked}`)
    give(new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: mime }), name)
    return 0
  }
  const pieces = await call<Piece[]>('GET', `/overlays?${asked}`)
  give(new Blob([joined(format, pieces)], { type: KINDS[format] }), `${layer || 'drawings'}.${format}`)
  return pieces.filter((piece) => piece.part === 'left_out').length
}

function give(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
