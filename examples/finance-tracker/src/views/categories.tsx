import { useMemo, useState } from "react";
import { useBooks } from "../books.jsx";
import {
  categoriesCreateSchema, categoriesMeta, categoriesUpdateSchema, useCanCategory, useCreateCategory, useDeleteCategory, useUpdateCategory,
  type Category,
} from "../generated/index.js";
import { Icon } from "../icons.jsx";
import { Card, Dot, Empty, Page, Unsent } from "../parts.jsx";
import { RecordDialog } from "../record-dialog.jsx";

export function Categories() {
  const books = useBooks();
  const [edited, setEdited] = useState<string | "new">();
  const uses = useMemo(() => {
    const uses = new Map<string | null, number>();
    for (const { category_id } of books.transactions) uses.set(category_id, (uses.get(category_id) ?? 0) + 1);
    return uses;
  }, [books.transactions]);
  const mayAdd = useCanCategory(undefined, "name");
  return (
    <Page title="Categories" action={mayAdd ? <button type="button" className="button" onClick={() => setEdited("new")}><Icon name="plus" />New category</button> : null}>
      <div className="columns">
        {(["expense", "income"] as const).map((kind) => (
          <Card key={kind} title={kind === "expense" ? "Money out" : "Money in"}>
            <ul className="rows">
              {books.categories.filter((one) => one.kind === kind).map((category) => (
                <Line key={category.id} category={category} uses={uses.get(category.id) ?? 0} onEdit={() => setEdited(category.id)} />
              ))}
            </ul>
            {books.categories.some((one) => one.kind === kind) ? null : <Empty>{books.isLoading ? "Reading…" : "None yet."}</Empty>}
          </Card>
        ))}
      </div>
      {edited === undefined ? null : <CategoryDialog row={books.categories.find(({ id }) => id === edited)} onClose={() => setEdited(undefined)} />}
    </Page>
  );
}

function Line({ category, uses, onEdit }: { category: Category; uses: number; onEdit: () => void }) {
  const mayEdit = useCanCategory(category, "name");
  return (
    <li className="row" data-id={category.id}>
      <Dot color={category.color} />
      <div className="row-main">
        <span className="row-title">{category.name}<Unsent row={category} /></span>
        <small>{uses === 1 ? "1 transaction" : `${uses} transactions`}</small>
      </div>
      {mayEdit ? <button type="button" className="link" aria-label={`Edit ${category.name}`} onClick={onEdit}>Edit</button> : null}
    </li>
  );
}

function CategoryDialog({ row, onClose }: { row: Category | undefined; onClose: () => void }) {
  return (
    <RecordDialog
      noun="category" meta={categoriesMeta} row={row} onClose={onClose} initial={{ kind: "expense", color: "#4f8a8b" }}
      schemas={{ create: categoriesCreateSchema, update: categoriesUpdateSchema }}
      create={useCreateCategory()} update={useUpdateCategory()} remove={useDeleteCategory()}
    />
  );
}
