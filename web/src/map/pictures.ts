/** The small pictures beside the symbols: rings, courses, plates with a text. Sizes are CSS pixels. */
import { MARK_PATHS, type Mark } from '../draw/marks'
import { dimmed } from '../symbols/symbol'
import type { Painted, Picture } from './atlas'
import type { SceneTheme } from './seen'

export const LABEL_FONT = '600 11px "Inter Variable", sans-serif'
export const LABEL_HEIGHT = 16
/** Half of the ring's edge. */
export const RING_RADIUS = 24
/** A tick begins under the symbol and ends this far from the place. */
const TICK_PX: [number, number] = [10, 27]

function rounded(
  pixel_ratio: number,
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
  anchor: [number, number],
): Picture {
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * pixel_ratio)
  canvas.height = Math.ceil(height * pixel_ratio)
  const context = canvas.getContext('2d')!
  context.scale(pixel_ratio, pixel_ratio)
  draw(context)
  return { canvas, anchor_x: anchor[0] * pixel_ratio, anchor_y: anchor[1] * pixel_ratio }
}

/** The frame round what is chosen or in need. */
export function ring(pixel_ratio: number, colour: string, thick: number): Picture {
  const edge = RING_RADIUS * 2
  return rounded(
    pixel_ratio,
    edge,
    edge,
    (context) => {
      context.strokeStyle = colour
      context.lineWidth = thick
      context.beginPath()
      context.roundRect(thick / 2 + 1, thick / 2 + 1, edge - thick - 2, edge - thick - 2, 9)
      context.stroke()
    },
    [RING_RADIUS, RING_RADIUS],
  )
}

/** Where something goes: a line from its symbol's place outwards, in its own square. */
export function tick(pixel_ratio: number, course_deg: number, colour: string, halo: string): Picture {
  const edge = 2 * (TICK_PX[1] + 3)
  const [sin, cos] = [Math.sin((course_deg * Math.PI) / 180), Math.cos((course_deg * Math.PI) / 180)]
  const draw = (context: CanvasRenderingContext2D): void => {
    context.lineCap = 'round'
    for (const [width, style] of [[5, halo], [2.5, colour]] as const) {
      context.lineWidth = width
      context.strokeStyle = style
      context.beginPath()
      for (const radius of TICK_PX) context.lineTo(edge / 2 + radius * sin, edge / 2 - radius * cos)
      context.stroke()
    }
  }
  return rounded(pixel_ratio, edge, edge, draw, [edge / 2, edge / 2])
}

const MARK_EDGE = 24

/** A mark in its colour, with an outline that keeps it apart from any ground. */
export function markPicture(pixel_ratio: number, mark: Mark, colour: string, theme: SceneTheme): Picture {
  const shape = new Path2D(MARK_PATHS[mark])
  const draw = (context: CanvasRenderingContext2D): void => {
    context.translate(1.5, 1.5)
    context.lineJoin = 'round'
    for (const [width, style] of [[3.4, theme.on_tone], [1.8, theme.label]] as const) {
      context.lineWidth = width
      context.strokeStyle = style
      context.stroke(shape)
    }
    context.fillStyle = colour
    context.fill(shape, 'evenodd')
  }
  const edge = MARK_EDGE + 3
  const picture = rounded(pixel_ratio, edge, edge, draw, [edge / 2, edge / 2])
  if (theme.dim) dimmed(picture.canvas as HTMLCanvasElement)
  return picture
}

/** Nothing to see, where a symbol would stand. */
export function blank(pixel_ratio: number): Picture {
  return rounded(pixel_ratio, 16, 16, () => undefined, [8, 8])
}

/** A text on its plate; `width` is that of the plate. */
export function plate(pixel_ratio: number, text: string, width: number, ground: string, ink: string): Painted {
  const paint = (context: CanvasRenderingContext2D): void => {
    context.fillStyle = ground
    context.beginPath()
    context.roundRect(0, 0, width, LABEL_HEIGHT, 4)
    context.fill()
    context.fillStyle = ink
    context.font = LABEL_FONT
    context.textBaseline = 'middle'
    context.fillText(text, 5, LABEL_HEIGHT / 2 + 0.5)
  }
  return { width: Math.ceil(width * pixel_ratio), height: Math.ceil(LABEL_HEIGHT * pixel_ratio), anchor_x: 0, anchor_y: 0, paint }
}
