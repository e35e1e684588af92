/** The legend on its sheet: lines in columns, and at the end of the last one what is to be known of the sheet. */
import type { Frame, Sheet, SheetTexts } from './layout'
import type { LegendLine } from './legend'
import { INK, SOFT, wrapped, type Pen } from './words'

const TITLE = 6
const HEADING = 5
const LINE = 7.8
/** Of lines of which more find room, one after the other until all do. */
const DENSER = [6.4, 5, 4.3]
/** Lower lines have names in one row. */
const TWO_ROWS = 6
/** A column that is narrower has no room for names. */
const NARROWEST = 40
const MORE = 4.5
const NOTE = 3.4
/** Between columns. */
const GAP = 5
/** Where words begin, to the right of the symbol. */
const INDENT = 12

const heightOf = ({ symbol, is_low }: LegendLine, line_mm = LINE) => (symbol && !is_low ? line_mm : Math.min(HEADING, line_mm))

export interface Laid {
  line: LegendLine
  column: number
  /** Below the legend's upper edge. */
  y: number
}

/** Lays lines into columns (millimetres); the last one ends `kept` earlier. A heading never stands lowest. `left`: how many symbols found no room. */
export function laid(lines: readonly LegendLine[], { height, columns, line_mm }: { height: number; columns: number; line_mm?: number }, kept: number): { places: Laid[]; left: number } {
  const places: Laid[] = []
  let [column, y] = [0, TITLE]
  const end = () => (column === columns - 1 ? height - kept : height)
  for (const [n, line] of lines.entries()) {
    const wants = line.symbol ? heightOf(line, line_mm) : Math.min(HEADING, line_mm ?? LINE) + (line_mm ?? LINE)
    if (y + wants > end() && column < columns - 1) [column, y] = [column + 1, TITLE]
    if (y + wants > end()) return { places, left: lines.slice(n).filter((one) => one.symbol).length }
    places.push({ line, column, y })
    y += heightOf(line, line_mm)
  }
  return { places, left: 0 }
}

/** The frame as it is, then with denser lines and one column more: the first in which nothing is left out, or the last. */
export function roomFor(lines: readonly LegendLine[], frame: Sheet['legend'], keptOf: (width: number) => number) {
  const widthOf = (columns: number) => (frame.width - GAP * (columns - 1)) / columns
  const most = widthOf(frame.columns + 1) < NARROWEST ? frame.columns : frame.columns + 1
  const ways = [[LINE, frame.columns], ...DENSER.flatMap((line_mm) => [[line_mm, frame.columns], [line_mm, most]])].map(([line_mm, columns]) => {
    const width = widthOf(columns)
    return { line_mm, columns, width, shown: laid(lines, { height: frame.height, columns, line_mm }, keptOf(width)) }
  })
  return ways.find(({ shown }) => !shown.left) ?? ways.at(-1)!
}

export function drawLegend(pen: Pen, frame: Sheet['legend'], texts: SheetTexts, lines: readonly LegendLine[]): void {
  const notesOf = (width_mm: number) => texts.notes.flatMap((note) => wrapped(pen.brush, note, width_mm, 2.4))
  const { line_mm, columns, width, shown } = roomFor(lines, frame, (width_mm) => notesOf(width_mm).length * NOTE + MORE)
  const left = (column: number) => frame.x + column * (width + GAP)
  const notes = notesOf(width)
  pen.write(texts.legend, frame.x, frame.y + 3, 3.6, INK, { bold: true })
  for (const { line, column, y } of shown.places) drawLine(pen, line, { x: left(column), y: frame.y + y, width, height: heightOf(line, line_mm) })
  const [x, low] = [left(columns - 1), frame.y + frame.height]
  if (shown.left) pen.write(texts.more(shown.left), x, low - notes.length * NOTE - 1.2, 2.5, SOFT, { wide: width })
  // In the order in which they are read out; the last line stands lowest.
  notes.forEach((note, n) => pen.write(note, x, low - (notes.length - 1 - n) * NOTE, 2.4, SOFT))
}

function drawLine(pen: Pen, line: LegendLine, { x, y, width, height }: Frame): void {
  const { symbol, text, count } = line
  if (!symbol) return pen.write(text, x, y + 3.4, 2.7, INK, { bold: true, wide: width })
  const picture = symbol()
  // As large as fits into its place.
  const scale = Math.min(9 / picture.width, Math.min(7, height - 0.6) / picture.height)
  const [wide, high] = [picture.width * scale, picture.height * scale]
  pen.brush.drawImage(picture, x + (10 - wide) / 2, y + (height - high) / 2, wide, high)
  const [first, ...rest] = height < TWO_ROWS ? [text] : wrapped(pen.brush, text, width - INDENT - 6, 2.4)
  const base = y + height / 2 + (rest.length ? -0.6 : 0.9)
  if (first) pen.write(first, x + INDENT, base, 2.4, INK, { wide: width - INDENT - 6 })
  if (rest.length) pen.write(rest.join(' '), x + INDENT, base + 3, 2.4, INK, { wide: width - INDENT - 6 })
  if (count !== null) pen.write(String(count), x + width, y + height / 2 + 0.9, 2.7, SOFT, { align: 'right' })
}
