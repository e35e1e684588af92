/**
 * A map sheet on light paper: what is printed and what is saved as PNG are the same.
 *
 * Lengths are in millimetres of the paper; `sheetOf` (layout.ts) says where the parts lie, `drawSheet` draws them and tells the
 * words that belong over them. Paper gets them as text (words.ts), a PNG as part of the picture.
 */
import { forward } from 'mgrs'
import { sign } from '../geo/units'
import { MARGIN, sheetOf, TICKS, type Picture, type Sheet, type SheetTexts } from './layout'
import type { LegendLine } from './legend'
import { drawLegend } from './legendBox'
import { dotsPerMm, type Paper } from './paper'
import { INK, Pen, SOFT, widthOf, type Word } from './words'

/** A corner's grid square has so much of the frame's side for itself. */
const CORNER = 26

export interface Tick {
  /** 0 at the frame's left or top end, 1 at the other. */
  share: number
  text: string
}

const STEPS_DEG = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30]
const mercator = (lat_deg: number) => Math.log(Math.tan(Math.PI / 4 + (lat_deg * Math.PI) / 360))

function stepOf(span_deg: number): number {
  return STEPS_DEG.find((step) => span_deg / step <= 7) ?? 45
}

function degrees(value: number, sides: string): string {
  const rest = Math.abs(value)
  const text = Number.isInteger(rest) ? `${rest}°` : `${Math.floor(rest + 1e-9)}°${String(Math.round((rest % 1) * 60 * 10) / 10).padStart(2, '0')}′`
  return `${text}${value < 0 ? sides[1] : sides[0]}`
}

/** Round degrees on the lower (east and west) and the left side (south and north) of a mercator map. */
export function degreeTicks([west, south, east, north]: [number, number, number, number]): { across: Tick[]; down: Tick[] } {
  const across: Tick[] = []
  const down: Tick[] = []
  const [wide, high] = [stepOf(east - west), stepOf(north - south)]
  for (let n = Math.ceil(west / wide); n * wide <= east; n++) {
    const lon = n * wide
    const wrapped = ((((lon + 180) % 360) + 360) % 360) - 180
    across.push({ share: (lon - west) / (east - west), text: degrees(Number(wrapped.toFixed(4)), 'EW') })
  }
  const [top, bottom] = [mercator(north), mercator(south)]
  for (let n = Math.ceil(south / high); n * high <= north; n++) {
    const lat = Number((n * high).toFixed(4))
    down.push({ share: (top - mercator(lat)) / (top - bottom), text: degrees(lat, 'NS') })
  }
  return { across, down }
}

/** A round length of the scale bar, in metres, at most `limit_m`. */
export function roundLength(limit_m: number): number {
  const power = 10 ** Math.floor(Math.log10(limit_m))
  return [5, 2, 1].map((one) => one * power).find((one) => one <= limit_m) ?? power
}

/** Metres of ground per millimetre of paper in the map's middle. */
export function groundPerMm([west, south, east, north]: [number, number, number, number], width_mm: number): number {
  const middle = (2 * Math.atan(Math.exp((mercator(south) + mercator(north)) / 2)) - Math.PI / 2)
  return ((east - west) / 360) * 40_075_016.7 * Math.cos(middle) / width_mm
}

/** `1 : 250 000`, two figures: it is right in the middle of the map only. */
export function scaleNumber(ground_m_per_mm: number): string {
  const scale = ground_m_per_mm * 1000
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(scale)) - 1)
  return String(Math.round(scale / digits) * digits).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** The grid square of a corner, to 1 km; empty beyond 80 S and 84 N where MGRS ends. */
export function cornerGrid(lat_deg: number, lon_deg: number): string {
  if (lat_deg < -80 || lat_deg > 84) return ''
  const packed = forward([((((lon_deg + 180) % 360) + 360) % 360) - 180, lat_deg], 2)
  return packed.replace(/^(\d{1,2}[C-X])([A-Z]{2})(\d{2})(\d{2})$/, '$1 $2 $3 $4')
}

/** Draws all of the sheet but its words, and tells those. */
export function drawSheet(canvas: HTMLCanvasElement, paper: Paper, { canvas: map, bounds }: Picture, texts: SheetTexts, legend: LegendLine[]): Word[] {
  const sheet = sheetOf(paper)
  const dots = dotsPerMm(paper)
  canvas.width = sheet.width * dots
  canvas.height = sheet.height * dots
  const brush = canvas.getContext('2d')!
  brush.scale(dots, dots)
  const pen = new Pen(brush)
  brush.fillStyle = '#fff'
  brush.fillRect(0, 0, sheet.width, sheet.height)
  for (const y of [0, sheet.height - sheet.banner]) drawBanner(pen, sheet, y, texts)
  drawHead(pen, sheet, texts)
  const at = sheet.map
  brush.drawImage(map, at.x, at.y, at.width, at.height)
  drawFrame(pen, sheet, bounds)
  drawScale(pen, sheet, bounds)
  drawLegend(pen, sheet.legend, texts, legend)
  pen.write(texts.foot, at.x, sheet.height - sheet.banner - 3.2, 2.6, SOFT, { wide: at.width * 0.62 })
  pen.write(texts.borders, at.x + at.width, sheet.height - sheet.banner - 6.2, 2.3, SOFT, { align: 'right', wide: at.width })
  pen.write(texts.attribution, at.x + at.width, sheet.height - sheet.banner - 3.2, 2.3, SOFT, { align: 'right', wide: at.width * 0.36 })
  return pen.words
}

function drawBanner(pen: Pen, sheet: Sheet, y: number, texts: SheetTexts): void {
  const { brush } = pen
  brush.fillStyle = texts.banner_colour
  brush.fillRect(0, y, sheet.width, sheet.banner)
  const base = y + sheet.banner / 2 + 1.4
  const whole = widthOf(brush, texts.banner, 4, true) + widthOf(brush, texts.context, 4, true)
  // A long label is written smaller: nothing of it may lack.
  const size = Math.min(4, (4 * (sheet.width - 2 * MARGIN - 8)) / whole)
  const [first, second] = [widthOf(brush, texts.banner, size, true), widthOf(brush, texts.context, size, true)]
  const left = (sheet.width - first - second - 8) / 2
  pen.write(texts.banner, left, base, size, '#fff', { bold: true })
  brush.fillStyle = texts.real ? '#fff' : 'rgba(0, 0, 0, 0.3)'
  brush.fillRect(left + first + 4, y + 1.3, second + 4, sheet.banner - 2.6)
  pen.write(texts.context, left + first + 6, base, size, texts.real ? INK : '#fff', { bold: true })
}

function drawHead(pen: Pen, sheet: Sheet, texts: SheetTexts): void {
  const { brush } = pen
  const base = sheet.banner + 8
  const right = sheet.width - MARGIN
  const width = widthOf(brush, texts.time, 4.6, true)
  if (texts.past) {
    brush.fillStyle = '#ffb020'
    brush.fillRect(right - width - 4, sheet.banner + 2.6, width + 4, 7.6)
  }
  pen.write(texts.title, MARGIN + TICKS, base, 5.4, INK, { bold: true, wide: right - width - MARGIN - TICKS - 10 })
  pen.write(texts.time, right - (texts.past ? 2 : 0), base, 4.6, INK, { bold: true, align: 'right' })
}

function drawFrame(pen: Pen, sheet: Sheet, bounds: [number, number, number, number]): void {
  const { brush } = pen
  const { x, y, width, height } = sheet.map
  const right = x + width
  const low = y + height
  brush.strokeStyle = INK
  brush.lineWidth = 0.35
  brush.strokeRect(x, y, width, height)
  const { across, down } = degreeTicks(bounds)
  const line = (from_x: number, from_y: number, to_x: number, to_y: number) => {
    brush.beginPath()
    brush.moveTo(from_x, from_y)
    brush.lineTo(to_x, to_y)
    brush.stroke()
  }
  for (const { share, text } of across) {
    const at = x + share * width
    line(at, y - 1.6, at, y)
    line(at, low, at, low + 1.6)
    // Corners hold the grid square.
    if (at < x + CORNER || at > right - CORNER) continue
    pen.write(text, at, y - 2.2, 2.5, INK, { align: 'center' })
    pen.write(text, at, low + 4, 2.5, INK, { align: 'center' })
  }
  for (const { share, text } of down) {
    const at = y + share * height
    line(x - 1.6, at, x, at)
    line(right, at, right + 1.6, at)
    if (share < 0.05 || share > 0.95) continue
    for (const edge of [x - 2.4, right + 4]) pen.write(text, edge, at, 2.5, INK, { align: 'center', upwards: true })
  }
  const [west, south, east, north] = bounds
  pen.write(cornerGrid(north, west), x, y - 2.2, 2.5, SOFT, { bold: true })
  pen.write(cornerGrid(north, east), right, y - 2.2, 2.5, SOFT, { bold: true, align: 'right' })
  pen.write(cornerGrid(south, west), x, low + 4, 2.5, SOFT, { bold: true })
  pen.write(cornerGrid(south, east), right, low + 4, 2.5, SOFT, { bold: true, align: 'right' })
}

function drawScale(pen: Pen, sheet: Sheet, bounds: [number, number, number, number]): void {
  const { brush } = pen
  const per_mm = groundPerMm(bounds, sheet.map.width)
  const length_m = roundLength(per_mm * 50)
  const length = length_m / per_mm
  const unit = length_m >= 1000 ? `${length_m / 1000} ${sign('km')}` : `${length_m} ${sign('m')}`
  const [x, y] = [sheet.map.x + 5, sheet.map.y + sheet.map.height - 6]
  brush.fillStyle = '#fff'
  brush.fillRect(x - 2.5, y - 5, length + 15, 8)
  for (let part = 0; part < 4; part++) {
    brush.fillStyle = part % 2 ? '#fff' : INK
    brush.fillRect(x + (part * length) / 4, y, length / 4, 1.5)
  }
  brush.strokeStyle = INK
  brush.lineWidth = 0.25
  brush.strokeRect(x, y, length, 1.5)
  pen.write('0', x, y - 1, 2.6, INK)
  pen.write(unit, x + length, y - 1, 2.6, INK, { align: 'center' })
}
