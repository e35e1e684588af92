/** What goes to the printer: sheets of the print box or the brief, or a board's text; else a sheet is made when printing begins. */
import { shallowRef, type ShallowRef } from 'vue'
import type { Desk } from '../store/desk'
import type { Paper } from './paper'
import type { Word } from './words'

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
const pages = new WeakMap<Desk, ShallowRef<ReadyPages | null>>()

export function readyPages(desk: Desk): ShallowRef<ReadyPages | null> {
  let page = pages.get(desk)
  if (!page) pages.set(desk, (page = shallowRef(null)))
  return page
}
const made = new WeakMap<Desk, ShallowRef<ReadySheets | null>>()

export function readySheets(desk: Desk): ShallowRef<ReadySheets | null> {
  let sheet = made.get(desk)
  if (!sheet) made.set(desk, (sheet = shallowRef(null)))
  return sheet
}
