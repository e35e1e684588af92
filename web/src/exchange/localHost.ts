/** Whether an address leads back to the machine that it is opened on: in a link or code for somebody else it leads nowhere. */
export function isLocalHost(host: string): boolean {
  return /^(localhost$|127\.|\[?::1\]?$|0\.0\.0\.0$)/i.test(host)
}
