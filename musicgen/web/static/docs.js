// Starts Swagger UI on our own document; nothing is fetched from elsewhere.
"use strict";

const place = document.getElementById("docs");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, validatorUrl: null, tryItOutEnabled: true });
