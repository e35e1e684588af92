import { describe, expect, it } from 'vitest'
import { Pen, wrapped } from '../src/print/words'

/** A brush that takes every letter for one size wide. */
function brush(): CanvasRenderingContext2D {
  const made = { font: '', measureText: (text: string) => ({ width: text.length * Number(/([\d.]+)px/.exec(made.font)?.[1]) }) }
  return made as unknown as CanvasRenderingContext2D
}

describe('words of a sheet', () => {
  it('keeps what is written with its place, and cuts what is too wide with a sign', () => {
    const pen = new Pen(brush())
    pen.write('PHASE LINE ALPHA', 10, 20, 2, '#000', { wide: 12, bold: true })
    pen.write('', 0, 0, 2, '#000')
    expect(pen.words).toEqual([{ text: 'PHASE…', x: 10, y: 20, size: 2, colour: '#000', wide: 12, bold: true }])
  })
  it('breaks lines between words, and keeps figures of a scale together', () => {
    expect(wrapped(brush(), ' Scale 1 : 250\u202f000\nWGS 84 ', 22, 2)).toEqual(['Scale 1 :', '250\u202f000 WGS', '84'])
    expect(wrapped(brush(), ' \n ', 22, 2)).toEqual([])
  })
})
