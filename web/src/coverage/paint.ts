/** Grids as pictures: shades and patterns, so that they are told apart without colours, too. Pure but for `canvasOf`. */
import type { ShadowGrid } from '../api.generated'
import { mercatorY } from '../map/mercator'
import type { Theme } from '../shell/theme'

/** Pixels of the picture for each cell's edge. */
export const CELL_PX = 4
const QUARTERS_PER_HOUR = 4
/** In a shadow: no terrain is known there, or on the way. */
export const UNKNOWN = 255

type Colour = readonly [red: number, green: number, blue: number, alpha: number]
const PALETTES: Record<Theme, { looks: Colour; hidden: Colour; unknown: Colour }> = {
  dark: { looks: [240, 164, 72, 60], hidden: [176, 130, 255, 150], unknown: [190, 200, 210, 150] },
  day: { looks: [120, 70, 10, 62], hidden: [84, 36, 160, 150], unknown: [60, 70, 80, 170] },
  night: { looks: [176, 66, 30, 66], hidden: [128, 26, 58, 118], unknown: [150, 80, 70, 150] },
}
/** Strengths beside the plain colour: what nobody ever looked at is hatched as well. */
const OLDER = 0.55
const HATCH = 2.4

/** How strong a pixel is, 0 to 1 of the colour's own alpha (more where it is hatched); x and y in pixels. */
type Strength = (value: number, x: number, y: number) => number

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}

/** Where nobody has looked for so many hours: light where somebody did before, dark and hatched where nobody did. */
export function looksStrength(hours: number): Strength {
  return (age, x, y) => {
    if (age === 0) return (x + y) % 8 < 2 ? HATCH : 1
    return age > hours * QUARTERS_PER_HOUR ? OLDER : 0
  }
}

/** The darker, the higher something may be and still is hidden. */
export function shadowStrength(heights: number): Strength {
  return (band, x, y) => {
    if (band === UNKNOWN) return x % 4 === 1 && y % 4 === 1 ? 1 : 0
    return band < 2 ? 0 : (band - 1) / heights
  }
}

/** The pixels of a grid, row by row from the north, four bytes each. */
export function pixels(cells: Uint8Array, cols: number, colour: (value: number) => Colour, strength: Strength): Uint8ClampedArray<ArrayBuffer> {
  const rows = cells.length / cols
  const width = cols * CELL_PX
  const out = new Uint8ClampedArray(width * rows * CELL_PX * 4)
  for (let y = 0, at = 0; y < rows * CELL_PX; y++) {
    const row = Math.floor(y / CELL_PX) * cols
    for (let x = 0; x < width; x++, at += 4) {
      const value = cells[row + Math.floor(x / CELL_PX)]
      const share = strength(value, x, y)
      if (!share) continue
      const [red, green, blue, alpha] = colour(value)
      out[at] = red
      out[at + 1] = green
      out[at + 2] = blue
      out[at + 3] = alpha * share
    }
  }
  return out
}

export function looksPixels(cells: Uint8Array, cols: number, hours: number, theme: Theme): Uint8ClampedArray<ArrayBuffer> {
  return pixels(cells, cols, () => PALETTES[theme].looks, looksStrength(hours))
}
export function shadowPixels(cells: Uint8Array, cols: number, heights: number, theme: Theme): Uint8ClampedArray<ArrayBuffer> {
  const { hidden, unknown } = PALETTES[theme]
  return pixels(cells, cols, (value) => (value === UNKNOWN ? unknown : hidden), shadowStrength(heights))
}

export function canvasOf(data: Uint8ClampedArray<ArrayBuffer>, cols: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = cols * CELL_PX
  canvas.height = data.length / 4 / canvas.width
  canvas.getContext('2d')!.putImageData(new ImageData(data, canvas.width, canvas.height), 0, 0)
  return canvas
}

/** Where places (latitude, longitude) lie in a picture of a box, as shares of its width and height. */
export function sharesOf(grid: Pick<ShadowGrid, 'west' | 'south' | 'east' | 'north' | 'places'>): [number, number][] {
  const [top, bottom] = [mercatorY(grid.north), mercatorY(grid.south)]
  return grid.places.map(([lat, lon]) => [(lon - grid.west) / (grid.east - grid.west), (mercatorY(lat) - top) / (bottom - top)])
}

/** A ring and a dot where a shadow is cast from. */
export function markPlaces(canvas: HTMLCanvasElement, grid: ShadowGrid, theme: Theme): HTMLCanvasElement {
  const brush = canvas.getContext('2d')!
  const radius = canvas.width / 90
  const [red, green, blue] = PALETTES[theme].unknown
  brush.strokeStyle = brush.fillStyle = `rgb(${red} ${green} ${blue})`
  brush.lineWidth = radius / 3
  for (const [x, y] of sharesOf(grid)) {
    for (const [size, fills] of [[radius, false], [radius / 4, true]] as const) {
      brush.beginPath()
      brush.arc(x * canvas.width, y * canvas.height, size, 0, 2 * Math.PI)
      if (fills) brush.fill()
      else brush.stroke()
    }
  }
  return canvas
}

/** A small picture of one shade, for the legend. */
export function swatch(kind: 'looks' | 'shadow', value: number, of: number, theme: Theme): string {
  const cells = new Uint8Array(4 * 4).fill(value)
  const data = kind === 'looks' ? looksPixels(cells, 4, of, theme) : shadowPixels(cells, 4, of, theme)
  return canvasOf(data, 4).toDataURL()
}
