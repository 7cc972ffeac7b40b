"""Makes the odd images of tests/golden/images, and prints what Pillow (12) reads: the pixels at (2, 2), (13, 2), (2, 9)
and (13, 9), on white. Run in tests/golden: python images.py (needs pillow and numpy)."""
import os
import numpy as np
from PIL import Image, ImageDraw

os.chdir("images")
im = Image.new("RGB", (16, 12), (250, 240, 230))
draw = ImageDraw.Draw(im)
draw.rectangle((0, 0, 7, 5), fill=(200, 30, 40))
draw.rectangle((8, 6, 15, 11), fill=(10, 60, 220))
other = im.rotate(180)
few, grey = im.quantize(8), im.convert("L")
few.save("plain.gif")
few.save("anim.gif", save_all=True, append_images=[other.quantize(8)], duration=50)
im.save("anim.png", save_all=True, append_images=[other])
im.save("anim.webp", save_all=True, append_images=[other], lossless=True, duration=50)
im.save("pages.tif", save_all=True, append_images=[other])
for name, kind in [("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")]:
    im.save(name + ".tif", compression=kind)
im.save("jpeg.tif", compression="jpeg", quality=95)
for mode, name in [("L", "grey"), ("1", "bilevel"), ("CMYK", "cmyk"), ("RGBA", "rgba")]:
    im.convert(mode).save(name + ".tif")
few.save("palette.tif")
few.save("palette.bmp")
im.convert("CMYK").save("cmyk.jpg", quality=95)
im.save("progressive.jpg", quality=95, progressive=True)
grey.save("grey.jpg", quality=95)
im.convert("1").save("bilevel.png")
im.convert("LA").save("la.png")
few.save("palette-alpha.png", transparency=bytes([0, 128, 255]))
Image.fromarray(np.asarray(grey).astype("uint16") * 257).save("grey16.png")
Image.fromarray(np.asarray(grey).astype("uint16") * 257).save("grey16.tif")
for turn in range(1, 9):
    exif = Image.Exif()
    exif[0x112] = turn
    im.save(f"exif{turn}.jpg", quality=95, exif=exif)
    if turn == 6:
        im.save("exif6.png", exif=exif)
        im.save("exif6.tif", exif=exif)
        im.save("exif6.webp", exif=exif, lossless=True)
im.save("tail.jpg", quality=95)
with open("tail.jpg", "ab") as file:
    file.write(b"\xff\xd8\xff\xe0\0\x10JFIF\0 \xff\xda\0\x08 the start of another")
for name in sorted(os.listdir(".")):
    if name.startswith("exif"):
        continue
    with Image.open(name) as read:
        if read.mode.startswith("I;16"):
            # convert("RGB") would clip to 255.
            read = Image.fromarray((np.asarray(read) >> 8).astype("uint8"))
        read = Image.alpha_composite(Image.new("RGBA", read.size, "white"), read.convert("RGBA"))
        pixels = [list(read.getpixel(at)[:3]) for at in ((2, 2), (13, 2), (2, 9), (13, 9))]
        print(f'("{name}", {pixels}),')
