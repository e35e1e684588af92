/** APP-6 point symbols by milsymbol, as pictures for panels and as canvases for the map. */
import ms from 'milsymbol'

const OUTLINE = 'rgba(236, 243, 250, 0.92)'

/** Plain ground symbols to fall back on when a code cannot be drawn. */
const FALLBACK: Record<string, string> = {
  friend: '130310000000000000000000000000',
  hostile: '130610000000000000000000000000',
  neutral: '130410000000000000000000000000',
  unknown: '130110000000000000000000000000',
}

function make(sidc: string, affiliation: string, size: number) {
  // The pale outline keeps black echelon marks readable on dark ground.
  const options = { size, outlineWidth: 4, outlineColor: OUTLINE, strokeWidth: 4 }
  const symbol = new ms.Symbol(sidc, options)
  if (symbol.isValid()) return symbol
  return new ms.Symbol(FALLBACK[affiliation] ?? FALLBACK.unknown, options)
}

const pictures = new Map<string, string>()

/** The symbol as an image URL for panels. */
export function symbolPicture(sidc: string, affiliation: string, size = 22): string {
  const key = `${sidc}|${affiliation}|${size}`
  let url = pictures.get(key)
  if (url === undefined) {
    url = `data:image/svg+xml;utf8,${encodeURIComponent(make(sidc, affiliation, size).asSVG())}`
    if (pictures.size > 2000) pictures.clear()
    pictures.set(key, url)
  }
  return url
}

export interface SymbolCanvas {
  canvas: HTMLCanvasElement
  /** The point of the picture that stands on the place, in device pixels. */
  anchor_x: number
  anchor_y: number
}

/** At night: dark and a little red; the frame's shape and the rest of its colour still tell the side. */
const NIGHT = 'rgb(150, 96, 92)'

export function dimmed(canvas: HTMLCanvasElement): void {
  const brush = canvas.getContext('2d')!
  const mask = document.createElement('canvas')
  mask.width = canvas.width
  mask.height = canvas.height
  mask.getContext('2d')!.drawImage(canvas, 0, 0)
  brush.setTransform(1, 0, 0, 1, 0, 0)
  brush.globalCompositeOperation = 'multiply'
  brush.fillStyle = NIGHT
  brush.fillRect(0, 0, canvas.width, canvas.height)
  // Multiplying also paints what was empty: the symbol's own shape cuts it out again.
  brush.globalCompositeOperation = 'destination-in'
  brush.drawImage(mask, 0, 0)
  brush.globalCompositeOperation = 'source-over'
}

export function symbolCanvas(
  sidc: string,
  affiliation: string,
  size: number,
  pixel_ratio: number,
  dim = false,
): SymbolCanvas {
  const symbol = make(sidc, affiliation, size * pixel_ratio)
  const canvas = symbol.asCanvas(1)
  if (dim) dimmed(canvas)
  const anchor = symbol.getAnchor()
  return { canvas, anchor_x: anchor.x, anchor_y: anchor.y }
}
