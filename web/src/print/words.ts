/** Words of a sheet: told apart from the picture, so that paper has them as text that is searched, copied and read out. */
import { dotsPerMm, PAPER_MM, type Paper } from './paper'

export const INK = '#14181d'
export const SOFT = '#4a5560'
const FONT = "'Inter Variable', sans-serif"
const WEIGHT = { plain: 450, bold: 700 }
const SVG = 'http://www.w3.org/2000/svg'

export interface Style {
  bold?: boolean
  align?: 'left' | 'center' | 'right'
  /** At most so many millimetres; longer text is cut with a sign. */
  wide?: number
  /** Read from below to above, as the degrees at the sides are. */
  upwards?: boolean
}
/** One line of text; where its base line begins (or its middle, or its end, as `align` has it), in millimetres. */
export interface Word extends Style {
  text: string
  x: number
  y: number
  size: number
  colour: string
}

/** Sets the brush to a size in millimetres, and tells how wide a text is then. */
export function widthOf(brush: CanvasRenderingContext2D, text: string, size: number, bold = false): number {
  brush.font = `${bold ? WEIGHT.bold : WEIGHT.plain} ${size}px ${FONT}`
  return brush.measureText(text).width
}

/** A text in lines that fit. */
export function wrapped(brush: CanvasRenderingContext2D, text: string, width: number, size: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/[ \n\t]+/).filter(Boolean)) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word
    if (lines.length && widthOf(brush, longer, size) <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** Draws what is no word with its brush, and keeps the words. */
export class Pen {
  readonly words: Word[] = []
  constructor(readonly brush: CanvasRenderingContext2D) {}

  write(text: string, x: number, y: number, size: number, colour: string, style: Style = {}): void {
    let fits = text
    while (style.wide && fits.length > 1 && widthOf(this.brush, fits, size, style.bold) > style.wide) fits = `${fits.slice(0, -2)}…`
    if (fits) this.words.push({ ...style, text: fits, x, y, size, colour })
  }
}

/** Puts the words onto the picture of their sheet. */
export function paintWords(canvas: HTMLCanvasElement, paper: Paper, words: readonly Word[]): void {
  const brush = canvas.getContext('2d')!
  const dots = dotsPerMm(paper)
  brush.textBaseline = 'alphabetic'
  for (const { text, x, y, size, colour, bold, align, upwards } of words) {
    widthOf(brush, text, size, bold)
    brush.setTransform(dots, 0, 0, dots, x * dots, y * dots)
    if (upwards) brush.rotate(-Math.PI / 2)
    brush.fillStyle = colour
    brush.textAlign = align ?? 'left'
    brush.fillText(text, 0, 0)
  }
}

const ANCHOR = { left: 'start', center: 'middle', right: 'end' }

/** The words as text that lies over the picture of their sheet. */
export function textLayer(paper: Paper, words: readonly Word[]): SVGSVGElement {
  const layer = document.createElementNS(SVG, 'svg')
  layer.setAttribute('viewBox', `0 0 ${PAPER_MM[paper].join(' ')}`)
  layer.setAttribute('preserveAspectRatio', 'xMinYMin')
  for (const { text, x, y, size, colour, bold, align, upwards } of words) {
    const line = document.createElementNS(SVG, 'text')
    line.textContent = text
    const turn = upwards ? ' rotate(-90)' : ''
    const look = {
      transform: `translate(${x} ${y})${turn}`,
      fill: colour,
      'text-anchor': ANCHOR[align ?? 'left'],
      'font-family': FONT,
      'font-size': String(size),
      'font-weight': String(bold ? WEIGHT.bold : WEIGHT.plain),
    }
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value)
    layer.append(line)
  }
  return layer
}
