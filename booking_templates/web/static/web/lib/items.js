// An item of an order of merchandise, in words.

export const itemName = (item) => (item.option_name ? `${item.name} ${item.option_name}` : item.name);

/** How many pieces are still the buyer's. */
export const kept = (item) => item.quantity - (item.given_back || 0);

/** "티셔츠 M × 2"; one of which all was given back keeps its number. */
export const itemText = (item) => `${itemName(item)} × ${kept(item) || item.quantity}`;
