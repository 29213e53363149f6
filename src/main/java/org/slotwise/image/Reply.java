package org.slotwise.image;

import ai.djl.modality.Output;
import java.io.IOException;
import java.util.Iterator;

/** What a request is answered with, once the model has seen the others of its batch. */
interface Reply {

    /**
     * The answer.
     *
     * @param found what the model found in the pictures that it has seen, from this request's on; a
     *     request that is refused has none there
     * @param pictures how pictures are drawn
     * @throws IOException if a picture cannot be written
     */
    Output to(Iterator<DiscoveredObjects> found, SlotPictures pictures) throws IOException;
}
