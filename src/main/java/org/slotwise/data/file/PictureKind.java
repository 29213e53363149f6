package org.slotwise.data.file;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.JpegReader;
import org.slotwise.internal.OptionalArtifact;

/** The kinds of picture files that are read, each known by the first bytes of the file. */
enum PictureKind {
    PNG("png", 0, "\u0089PNG\r\n\u001a\n", "png"),
    JPEG("jpeg", 0, "\u00ff\u00d8\u00ff", "jpg jpeg jpe jfif"),
    GIF("gif", 0, "GIF8", "gif"),
    BMP("bmp", 0, "BM", "bmp dib"),
    WEBP("webp", 8, "WEBP", "webp");

    static {
        JpegReader.register();
    }

    /** How other kinds of pictures end, which a folder may hold and nothing here reads. */
    private static final Set<String> OTHERS =
            Set.of("tif", "tiff", "heic", "heif", "avif", "jp2", "j2k", "jxl", "tga", "psd");

    private final String format;
    private final int at;
    private final String signature;
    private final String endings;

    PictureKind(String format, int at, String signature, String endings) {
        this.format = format;
        this.at = at;
        this.signature = signature;
        this.endings = endings;
    }

    /** The kind of a file's content; null if it is none of these. */
    static @Nullable PictureKind of(byte[] file) {
        for (PictureKind kind : values()) {
            byte[] signature = kind.signature.getBytes(StandardCharsets.ISO_8859_1);
            int to = kind.at + signature.length;
            if (file.length >= to
                    && Arrays.equals(file, kind.at, to, signature, 0, signature.length)) {
                return kind;
            }
        }
        return null;
    }

    /** Whether a file's name ends as those of a kind that can be read here and now. */
    static boolean isRead(String name) {
        String ending = ending(name);
        for (PictureKind kind : values()) {
            if (kind.endsIn(ending)) {
                return kind.reader() != null;
            }
        }
        return false;
    }

    /** Whether a file's name ends as those of pictures that cannot be read. */
    static boolean isOther(String name) {
        return OTHERS.contains(ending(name)) || (WEBP.endsIn(ending(name)) && !isRead(name));
    }

    /** Whether a file's name ends as those of pictures, of whatever kind. */
    static boolean isNamed(String name) {
        return isRead(name) || isOther(name);
    }

    private boolean endsIn(String ending) {
        return List.of(endings.split(" ")).contains(ending);
    }

    private static String ending(String name) {
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    /** What can be read, for messages. */
    static String all() {
        return WEBP.reader() != null
                ? "PNG, JPEG, BMP, GIF and WebP are read"
                : "PNG, JPEG, BMP, GIF and, with "
                        + OptionalArtifact.WEBP.coordinates()
                        + " on the class path, WebP are read";
    }

    /** A reader, to be disposed of; null if there is none on the class path. */
    @Nullable ImageReader reader() {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        return readers.hasNext() ? readers.next() : null;
    }
}
