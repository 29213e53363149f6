package org.slotwise.image;

import ai.djl.translate.TranslatorContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What is known of the images that went into a model and have not come out yet, in the context of a
 * prediction. What comes out has the order of what went in, whether DJL calls for a batch or image
 * by image, and may be called for the one way in and the other way out.
 *
 * @param <T> what is known of an image
 */
final class PendingImages<T> {

    private static final String SIZES = "org.slotwise.image.sizes";
    private static final String REPLIES = "org.slotwise.image.replies";

    /** Images that go through the model together; open while images are added one by one. */
    private static final class Group<T> {
        final Deque<T> images = new ArrayDeque<>();
        boolean open;
    }

    /** Height and width of an image as it came. */
    record Size(int height, int width) {}

    private final Deque<Group<T>> groups = new ArrayDeque<>();

    private PendingImages() {}

    /** The sizes of a prediction's images; none at its start. */
    static PendingImages<Size> sizes(TranslatorContext ctx) {
        return of(ctx, SIZES);
    }

    /** How a prediction's requests are answered; none at its start. */
    static PendingImages<Reply> replies(TranslatorContext ctx) {
        return of(ctx, REPLIES);
    }

    @SuppressWarnings("unchecked") // each key has its type
    private static <T> PendingImages<T> of(TranslatorContext ctx, String key) {
        Object known = ctx.getAttachment(key);
        if (known == null) {
            known = new PendingImages<T>();
            ctx.setAttachment(key, known);
        }
        return (PendingImages<T>) known;
    }

    /** An image went in on its own. */
    void add(T image) {
        Group<T> last = groups.peekLast();
        if (last == null || !last.open) {
            last = new Group<>();
            last.open = true;
            groups.add(last);
        }
        last.images.add(image);
    }

    /** A batch went in, which may be empty. */
    void addBatch(List<T> images) {
        Group<T> group = new Group<>();
        group.images.addAll(images);
        groups.add(group);
    }

    /** The image that comes out next. */
    T next(String who) {
        while (!groups.isEmpty()) {
            T image = groups.element().images.poll();
            if (groups.element().images.isEmpty()) {
                groups.remove();
            }
            if (image != null) {
                return image;
            }
        }
        throw missing(who);
    }

    /** The batch that comes out next: one that went in, or what is left of it, or single images. */
    List<T> nextBatch(String who) {
        Group<T> group = groups.poll();
        if (group == null) {
            throw missing(who);
        }
        return new ArrayList<>(group.images);
    }

    private static IllegalStateException missing(String who) {
        return new IllegalStateException(
                who + ": the outputs must come in the context of their inputs");
    }
}
