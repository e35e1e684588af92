import { describe, expect, it } from 'vitest'
import api from '../src/api.generated.ts?raw'
import en from '../src/patterns/texts/en.json'
import { boxOf, shareOf, strength } from '../src/patterns/heat'
import { sentences } from '../src/patterns/words'

const say = (key: string, values: Record<string, string> = {}) => {
  const text = key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], en) as string
  return text.replace('{v}', values.v ?? '')
}

describe('what was measured', () => {
  it('is said in sentences with units', () => {
    expect(sentences({ speed_mps: 13795, limit_mps: 70, way_m: 413_000 }, say)).toEqual(['49662 km/h fast', 'nothing of its kind moves faster than 252 km/h', '413 km of way'])
    expect(sentences({ was_domain: 3, is_domain: 1 }, say)).toEqual(['was at sea', 'is in the air'])
  })
  it('leaves out what it has no sentence for', () => expect(sentences({ brightness_lx: 3 }, say)).toEqual([]))
  it('has a sentence for every threshold of the node', () => {
    const names = [...(/export interface Thresholds \{([^}]*)\}/.exec(api)?.[1] ?? '').matchAll(/(\w+)\??:/g)].map((found) => found[1])
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(sentences({ [name]: 1 }, say), name).toHaveLength(1)
  })
})

describe('density', () => {
  it('shows nothing where nobody was, and the fullest cell most', () => {
    expect(strength(0)).toBe(0)
    expect(strength(1)).toBeGreaterThan(0.2)
    expect(strength(255)).toBe(1)
  })
  it('says the time that a shade stands for by the root it was made with', () => expect(shareOf(128)).toBeCloseTo(0.25, 2))
  it('asks for more than the view, and for nothing beyond the world', () => {
    expect(boxOf([10, 40, 20, 50])).toEqual([8, 38, 22, 52])
    expect(boxOf([-200, -80, 200, 84])).toEqual([-180, -84.9, 180, 84.9])
  })
})
