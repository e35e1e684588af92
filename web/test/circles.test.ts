import { expect, it } from 'vitest'

const SOURCES = import.meta.glob<string>('../src/**/*.{ts,vue}', { query: '?raw', import: 'default', eager: true })
/** What a file takes from others of the page: values, types, and parts that are loaded when they are needed. */
const TAKES = /\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'/g

function takenBy(file: string): string[] {
  return [...SOURCES[file]!.matchAll(TAKES)].flatMap((found) => {
    const path = new URL(found[1] ?? found[2]!, `file:///${file.slice(3)}`).pathname.slice(1)
    return [path, `${path}.ts`, `${path}/index.ts`].map((one) => `../${one}`).filter((one) => one in SOURCES)
  })
}

/** The first way from a file back to itself; null where there is none. */
function circle(): string[] | null {
  const done = new Set<string>()
  const way: string[] = []
  const walk = (file: string): string[] | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return null
    way.push(file)
    for (const taken of takenBy(file)) {
      const found = walk(taken)
      if (found) return found
    }
    way.pop()
    done.add(file)
    return null
  }
  for (const file of Object.keys(SOURCES)) {
    const found = walk(file)
    if (found) return found
  }
  return null
}

it('no file of the page needs itself through others', () => {
  expect(Object.keys(SOURCES).length).toBeGreaterThan(100)
  expect(takenBy('../src/shell/workspaces.ts')).toContain('../src/panels/TrackTable.vue')
  expect(circle()).toBe(null)
})
