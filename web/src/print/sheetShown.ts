/** What goes to the printer: sheets of the print box or the brief, or a board's text; else a sheet is made when printing begins. */
import { shallowRef } from 'vue'
import type { Paper } from './paper'
import type { Word } from './words'
import { perDesk } from '../store/perDesk'

/** One sheet: its picture, which says itself what it shows, and the words that lie over it. */
export interface DrawnSheet {
  canvas: HTMLCanvasElement
  words: readonly Word[]
}
export interface ReadySheets {
  paper: Paper
  sheets: readonly DrawnSheet[]
}
/** A part of the page that goes to the printer as text, on as many pages as it takes. */
export interface ReadyPages {
  /** A copy of the part; it is styled by its own classes, in black on white. */
  part: HTMLElement
  /** Stands above and below every page. */
  label: string
}
export const readyPages = perDesk(() => shallowRef<ReadyPages | null>(null))
export const readySheets = perDesk(() => shallowRef<ReadySheets | null>(null))
