/** Overlays as files: which format a file is, its bytes for the node, and a layer as a file to keep. */
import { call } from '../api/client'

export const EXPORTS = ['geojson', 'kml', 'gpx'] as const
export type ExportFormat = (typeof EXPORTS)[number]
const FORMATS: Record<string, string> = { geojson: 'geojson', json: 'geojson', kml: 'kml', kmz: 'kmz', gpx: 'gpx' }
const KINDS: Record<ExportFormat, string> = { geojson: 'application/geo+json', kml: 'application/vnd.google-earth.kml+xml', gpx: 'application/gpx+xml' }

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
  part: 'head' | 'drawing' | 'tail'
  text: string
}
/** The whole text of an export from its pieces. */
export function joined(format: ExportFormat, pieces: readonly Piece[]): string {
  const of = (part: Piece['part']) => pieces.filter((piece) => piece.part === part).map((piece) => piece.text)
  return [of('head').join(''), of('drawing').join(format === 'geojson' ? ',' : ''), of('tail').join('')].join('')
}

/** Reads a layer from the node and gives it to the browser as a file. Throws ApiError. */
export async function saveLayer(layer: string, format: ExportFormat): Promise<void> {
  const pieces = await call<Piece[]>('GET', `/overlays?layer=${encodeURIComponent(layer)}&format=${format}`)
  const url = URL.createObjectURL(new Blob([joined(format, pieces)], { type: KINDS[format] }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${layer || 'drawings'}.${format}`
  link.click()
  URL.revokeObjectURL(url)
}
