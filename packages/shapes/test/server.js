// A server on a free port, with a token for one tenant, and what writes to it.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isVisibleInSnapshot } from '@electric-sql/client'

const built = fileURLToPath(new URL('../../../target/debug/syncline', import.meta.url))
const program = process.env.SYNCLINE_BINARY ?? built

/** Starts a server; `flags` are further ones of `serve`. */
export async function start(flags = []) {
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: \`cargo build\` makes it`)
  }
  const data = mkdtempSync(join(tmpdir(), 'syncline-shapes-'))
  const token = made(['token', 'create', '--data', data, '--tenant', 'acme', '--user', 'ada', '--json'])
  const server = new Server(data, token)
  await server.serve('127.0.0.1:0', flags)
  return server
}

function made(parameters) {
  const run = spawnSync(program, parameters, { encoding: 'utf8' })
  if (run.status !== 0) {
    throw new Error(run.stderr)
  }
  return JSON.parse(run.stdout).token
}

class Server {
  constructor(data, token) {
    this.data = data
    this.token = token
    this.headers = { Authorization: `Bearer ${token}` }
  }

  async serve(address, flags) {
    this.flags = flags
    const parameters = ['serve', '--listen', address, '--data', this.data, '--auth', 'token', ...flags]
    this.child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.url = await new Promise((resolve, reject) => {
      let text = ''
      this.child.stdout.on('data', (part) => {
        text += part
        const line = text.match(/listening on (http:\S+)/)
        if (line) resolve(line[1])
      })
      this.child.once('exit', (code) => reject(new Error(`serve has ended with ${code}`)))
    })
    this.shape = `${this.url}/v1/shape`
  }

  /** Ends the process, and keeps its data and address. */
  async stop() {
    this.child.kill('SIGTERM')
    await this.ended
  }

  /** Goes on where it was stopped. */
  async again() {
    await this.serve(new URL(this.url).host, this.flags)
  }

  async end() {
    await this.stop()
    rmSync(this.data, { recursive: true, force: true })
  }

  async call(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    }
    return text === '' ? null : JSON.parse(text)
  }

  /** Makes a list, or an item of one. */
  list(id, title) {
    return this.call('POST', '/api/lists', { list_id: id, title })
  }

  item(list, id, text) {
    return this.call('POST', `/api/lists/${list}/items`, { item_id: id, text })
  }

  change(list, id, fields) {
    return this.call('PATCH', `/api/lists/${list}/items/${id}`, fields)
  }

  /** Has the shapes of a table forgotten, whichever form of them a client reads. */
  async forget(table) {
    for (const form of ['', '&replica=full', '&log=changes_only']) {
      const shape = `${this.shape}?table=${table}${form}`
      const deleted = await fetch(shape, { method: 'DELETE', headers: this.headers })
      if (deleted.status !== 202 && deleted.status !== 404) {
        throw new Error(`DELETE ${shape}: ${deleted.status}`)
      }
    }
  }

  /** The number of the last write, as shapes have it. */
  async txid() {
    const log = await this.call('GET', '/sync/pull?since=0')
    return log.serverSeq % 2 ** 32
  }

  /** A shape of items, as the public clients are told of it. */
  items(parameters = {}) {
    return { url: this.shape, headers: this.headers, params: { table: 'items', ...parameters } }
  }
}

/** Whether a stream has told of a write by its number: in a change of it, or in a snapshot that holds it. */
export function telling(stream) {
  const told = []
  stream.subscribe((messages) => told.push(...messages.map((message) => message.headers)))
  const tells = (headers, txid) =>
    headers.txids?.includes(txid) ||
    (headers.control === 'snapshot-end' && isVisibleInSnapshot(txid, headers))
  return (txid) => told.some((headers) => tells(headers, txid))
}

/** Asks until `check` gives something that counts. */
export async function eventually(what, check) {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
