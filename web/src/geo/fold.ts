/** Lower case and without accents, so that `unita` finds `Unità`. */
export function fold(text: string): string {
  // Most names are plain ASCII, for which the dear way changes nothing.
  if (/^[\x20-\x7e]*$/.test(text)) return text.toLowerCase()
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
