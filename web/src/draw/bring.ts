/** Brings a file of shapes onto the map, and says what became of them. */
import type { Desk } from '../store/desk'
import { importFile } from './drawings'
import { base64Of, formatOf, layerOfFile } from './files'

export async function bringFile(file: File, desk: Desk): Promise<boolean> {
  const format = formatOf(file.name)
  if (!format) {
    desk.notify({ tone: 'bad', key: 'draw.noFormat', words: { name: file.name } })
    return false
  }
  const layer = layerOfFile(file.name)
  return desk.attempt(async () => {
    const { drawn, changed, same, refused, reasons } = await importFile(format, layer, await base64Of(file))
    const words = { layer, drawn: String(drawn), changed: String(changed), same: String(same), refused: String(refused), why: reasons[0] ?? '' }
    desk.notify(refused ? { tone: 'bad', key: 'draw.importedPart', words } : { tone: 'ok', key: 'draw.imported', words })
  })
}
