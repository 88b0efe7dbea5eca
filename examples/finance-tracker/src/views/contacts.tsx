import { useState } from "react";
import { useBooks } from "../books.jsx";
import {
  contactsCreateSchema, contactsMeta, contactsUpdateSchema, useCanContact, useCreateContact, useDeleteContact, useUpdateContact, type Contact,
} from "../generated/index.js";
import { CONTACT_KINDS } from "../fields.js";
import { Icon } from "../icons.jsx";
import { cents, shown } from "../money.js";
import { Card, Empty, Page, Unsent } from "../parts.jsx";
import { RecordDialog } from "../record-dialog.jsx";

export function Contacts() {
  const books = useBooks();
  const [edited, setEdited] = useState<string | "new">();
  const mayAdd = useCanContact(undefined, "name");
  return (
    <Page title="Contacts" action={mayAdd ? <button type="button" className="button" onClick={() => setEdited("new")}><Icon name="plus" />New contact</button> : null}>
      <Card>
        {books.contacts.length === 0 ? <Empty>{books.isLoading ? "Reading…" : "No contacts yet."}</Empty> : null}
        <ul className="rows">
          {books.contacts.map((contact) => <Line key={contact.id} contact={contact} onEdit={() => setEdited(contact.id)} />)}
        </ul>
      </Card>
      {edited === undefined ? null : <ContactDialog row={books.contacts.find(({ id }) => id === edited)} onClose={() => setEdited(undefined)} />}
    </Page>
  );
}

function Line({ contact, onEdit }: { contact: Contact; onEdit: () => void }) {
  const mayEdit = useCanContact(contact, "name");
  const details = [CONTACT_KINDS.find(({ value }) => value === contact.kind)?.label, contact.email, contact.credit_limit === null ? null : `lends up to ${shown(cents(contact.credit_limit))}`];
  return (
    <li className="row" data-id={contact.id}>
      <span className="avatar" aria-hidden="true">{contact.name.slice(0, 1).toUpperCase()}</span>
      <div className="row-main">
        <span className="row-title">{contact.name}<Unsent row={contact} /></span>
        <small>{details.filter(Boolean).join(" · ") || "–"}</small>
        {contact.private_notes ? <small className="private"><Icon name="device" />{contact.private_notes}</small> : null}
      </div>
      {mayEdit ? <button type="button" className="link" aria-label={`Edit ${contact.name}`} onClick={onEdit}>Edit</button> : null}
    </li>
  );
}

function ContactDialog({ row, onClose }: { row: Contact | undefined; onClose: () => void }) {
  return (
    <RecordDialog
      noun="contact" meta={contactsMeta} row={row} onClose={onClose}
      schemas={{ create: contactsCreateSchema, update: contactsUpdateSchema }}
      create={useCreateContact()} update={useUpdateContact()} remove={useDeleteContact()}
    />
  );
}
