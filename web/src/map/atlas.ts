/**
 * One picture that holds every symbol and label on the map.
 *
 * Shelves are filled from left to right. When the picture is full it starts again; whoever asks
 * for a cell then gets a new one, so nothing is ever wrong, only drawn once more.
 */

export interface Cell {
  /** Texture coordinates, 0..65535. */
  u0: number
  v0: number
  u1: number
  v1: number
  /** Size in CSS pixels. */
  width: number
  height: number
  /** Where the cell's corner lies relative to the place, in CSS pixels. */
  left: number
  top: number
  /** As the batch writes it; made by the batch. */
  packed?: Uint32Array
}

/** Pixels of the screen; the anchor is the place within the picture. */
interface Anchored {
  anchor_x: number
  anchor_y: number
}
/** A picture that is there. */
export interface Picture extends Anchored {
  canvas: HTMLCanvasElement | OffscreenCanvas
}
/** One that is painted right where it will stand: new texts come every second, and a canvas of its own for each costs more than the text. */
export interface Painted extends Anchored {
  width: number
  height: number
  /** In CSS pixels, from the upper left corner; nothing outside the size. */
  paint(context: CanvasRenderingContext2D): void
}

const GAP = 2

export class Atlas {
  readonly canvas: HTMLCanvasElement
  /** Grows whenever all cells were forgotten. */
  generation = 0
  /** Grows with every change of the picture. */
  version = 0
  private readonly context: CanvasRenderingContext2D
  private readonly cells = new Map<string, Cell>()
  private x = GAP
  private y = GAP
  private shelf = 0

  constructor(
    private pixel_ratio: number,
    readonly edge = 2048,
  ) {
    this.canvas = document.createElement('canvas')
    this.canvas.width = this.canvas.height = edge
    this.context = this.canvas.getContext('2d')!
  }

  reset(pixel_ratio = this.pixel_ratio): void {
    this.pixel_ratio = pixel_ratio
    this.cells.clear()
    this.context.clearRect(0, 0, this.edge, this.edge)
    this.x = this.y = GAP
    this.shelf = 0
    this.generation++
    this.version++
  }

  /** The cell of a key; `draw` is called once, with the pixel ratio, when it is new. */
  cell(key: string, draw: (pixel_ratio: number) => Picture | Painted): Cell {
    const known = this.cells.get(key)
    if (known) return known
    const picture = draw(this.pixel_ratio)
    const size = 'canvas' in picture ? picture.canvas : picture
    const width = Math.min(size.width, this.edge / 4)
    const height = Math.min(size.height, this.edge / 4)
    if (this.x + width + GAP > this.edge) {
      this.x = GAP
      this.y += this.shelf + GAP
      this.shelf = 0
    }
    if (this.y + height + GAP > this.edge) this.reset()
    if ('canvas' in picture) this.context.drawImage(picture.canvas, this.x, this.y)
    else this.paint(picture)
    const ratio = this.pixel_ratio
    const unit = 65535 / this.edge
    const cell: Cell = {
      u0: this.x * unit,
      v0: this.y * unit,
      u1: (this.x + width) * unit,
      v1: (this.y + height) * unit,
      width: width / ratio,
      height: height / ratio,
      left: -picture.anchor_x / ratio,
      top: -picture.anchor_y / ratio,
    }
    this.cells.set(key, cell)
    this.x += width + GAP
    this.shelf = Math.max(this.shelf, height)
    this.version++
    return cell
  }

  private paint(picture: Painted): void {
    const { context, pixel_ratio } = this
    context.save()
    context.setTransform(pixel_ratio, 0, 0, pixel_ratio, this.x, this.y)
    picture.paint(context)
    context.restore()
  }
}
