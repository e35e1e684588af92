/** The sheets that go to the printer; the print box or the brief puts them here, else one is made when printing begins. */
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
const made = new WeakMap<Desk, ShallowRef<ReadySheets | null>>()

export function readySheets(desk: Desk): ShallowRef<ReadySheets | null> {
  let sheet = made.get(desk)
  if (!sheet) made.set(desk, (sheet = shallowRef(null)))
  return sheet
}
