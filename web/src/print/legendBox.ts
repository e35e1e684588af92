/** The legend on its sheet: lines in columns, and at the end of the last one what is to be known of the sheet. */
import type { Sheet, SheetTexts } from './layout'
import type { LegendLine } from './legend'
import { INK, SOFT, wrapped, type Pen } from './words'

const TITLE = 6
const HEADING = 5
const LINE = 7.8
const MORE = 4.5
const NOTE = 3.4
/** Between columns. */
const GAP = 5
/** Where words begin, to the right of the symbol. */
const INDENT = 12

const heightOf = ({ symbol, is_low }: LegendLine) => (symbol && !is_low ? LINE : HEADING)

export interface Laid {
  line: LegendLine
  column: number
  /** Below the legend's upper edge. */
  y: number
}

/** Lays lines into columns (millimetres); the last one ends `kept` earlier. A heading never stands lowest. `left`: how many symbols found no room. */
export function laid(lines: readonly LegendLine[], { height, columns }: { height: number; columns: number }, kept: number): { places: Laid[]; left: number } {
  const places: Laid[] = []
  let [column, y] = [0, TITLE]
  const end = () => (column === columns - 1 ? height - kept : height)
  for (const [n, line] of lines.entries()) {
    const wants = line.symbol ? heightOf(line) : HEADING + LINE
    if (y + wants > end() && column < columns - 1) [column, y] = [column + 1, TITLE]
    if (y + wants > end()) return { places, left: lines.slice(n).filter((one) => one.symbol).length }
    places.push({ line, column, y })
    y += heightOf(line)
  }
  return { places, left: 0 }
}

export function drawLegend(pen: Pen, frame: Sheet['legend'], texts: SheetTexts, lines: readonly LegendLine[]): void {
  const width = (frame.width - GAP * (frame.columns - 1)) / frame.columns
  const left = (column: number) => frame.x + column * (width + GAP)
  const notes = texts.notes.flatMap((note) => wrapped(pen.brush, note, width, 2.4))
  const shown = laid(lines, frame, notes.length * NOTE + MORE)
  pen.write(texts.legend, frame.x, frame.y + 3, 3.6, INK, { bold: true })
  for (const { line, column, y } of shown.places) drawLine(pen, line, left(column), frame.y + y, width)
  const [x, low] = [left(frame.columns - 1), frame.y + frame.height]
  if (shown.left) pen.write(texts.more(shown.left), x, low - notes.length * NOTE - 1.2, 2.5, SOFT, { wide: width })
  // In the order in which they are read out; the last line stands lowest.
  notes.forEach((note, n) => pen.write(note, x, low - (notes.length - 1 - n) * NOTE, 2.4, SOFT))
}

function drawLine(pen: Pen, line: LegendLine, x: number, y: number, width: number): void {
  const { symbol, text, count } = line
  if (!symbol) return pen.write(text, x, y + 3.4, 2.7, INK, { bold: true, wide: width })
  const picture = symbol()
  // As large as fits into its place.
  const scale = Math.min(9 / picture.width, 7 / picture.height)
  const [wide, high] = [picture.width * scale, picture.height * scale]
  pen.brush.drawImage(picture, x + (10 - wide) / 2, y + (heightOf(line) - high) / 2, wide, high)
  const [first, ...rest] = wrapped(pen.brush, text, width - INDENT - 6, 2.4)
  const base = y + heightOf(line) / 2 + (rest.length ? -0.6 : 0.9)
  if (first) pen.write(first, x + INDENT, base, 2.4, INK, { wide: width - INDENT - 6 })
  if (rest.length) pen.write(rest.join(' '), x + INDENT, base + 3, 2.4, INK, { wide: width - INDENT - 6 })
  if (count !== null) pen.write(String(count), x + width, y + heightOf(line) / 2 + 0.9, 2.7, SOFT, { align: 'right' })
}
