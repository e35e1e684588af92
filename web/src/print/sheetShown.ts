/** The sheet that goes to the printer; the print box puts it here, else it is made when printing begins. */
import { shallowRef, type ShallowRef } from 'vue'
import type { Desk } from '../store/desk'
import type { Paper } from './sheet'

export interface ReadySheet {
  canvas: HTMLCanvasElement
  paper: Paper
  /** Sheets after the first, of the same paper. */
  more?: readonly HTMLCanvasElement[]
}
const made = new WeakMap<Desk, ShallowRef<ReadySheet | null>>()

export function readySheet(desk: Desk): ShallowRef<ReadySheet | null> {
  let sheet = made.get(desk)
  if (!sheet) made.set(desk, (sheet = shallowRef(null)))
  return sheet
}
